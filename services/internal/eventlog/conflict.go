package eventlog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"setpoint.dev/services/internal/fault"
)

// The server's codes that an append meets. jetstreamext's names are used where
// its numbers are the server's; its 10202-10206 are not.
const (
	codeNoPeers                   jetstream.ErrorCode = 10005
	codeNotClustered              jetstream.ErrorCode = 10074
	codeWrongLastSequence         jetstream.ErrorCode = 10071
	codeExpectedNotReady          jetstream.ErrorCode = 10163
	codeWrongLastSequenceConstant jetstream.ErrorCode = 10164

	codeBatchTooLarge   = jetstreamext.JSErrCodeBatchPublishExceedsLimit
	codeBatchIncomplete = jetstreamext.JSErrCodeBatchPublishIncomplete
	codeBatchDuplicate  = jetstreamext.JSErrCodeBatchPublishDuplicateMsgID
	codeTooManyBatches  = jetstreamext.JSErrCodeAtomicPublishTooManyInflight
	codeTooManyFast     = jetstreamext.JSErrCodeBatchPublishTooManyInflight
)

// ConflictError says that an aggregate is not where the writer thought. It is
// the cause of an Aborted fault with reason log.conflict.
type ConflictError struct {
	Subject  Subject
	Expected uint64
	// Actual is the last sequence of the subject now, 0 if it has none.
	Actual uint64
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s %s is at %d, not at %d", e.Subject.Kind, e.Subject.ID, e.Actual, e.Expected)
}

func conflict(s Subject, expected, actual uint64) error {
	f := fault.Wrap(&ConflictError{Subject: s, Expected: expected, Actual: actual},
		fault.Aborted, "log.conflict", "somebody else changed %s %s first", s.Kind, s.ID)
	f.Revision = actual
	return f
}

func unavailable(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, "log.unavailable", "the event log did not confirm in time").
		WithHint("the same request id may be sent again: what was written is found and not written twice; a full disk is a common cause")
}

// verdict is what a failed publish means.
type verdict int

const (
	lost    verdict = iota // nothing is known about it
	moved                  // the subject is not where it was expected
	again                  // not now, but soon
	refused                // for good; nothing was written
)

func judge(err error) verdict {
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) {
		// No leader at the moment, so it reached nobody.
		return again
	}
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return lost
	}
	switch api.ErrorCode {
	case codeWrongLastSequence, codeWrongLastSequenceConstant, codeBatchDuplicate:
		return moved
	case codeExpectedNotReady:
		return again
	case codeBatchIncomplete:
		// The batch was abandoned, or its beginning was never received.
		return lost
	}
	return refused
}

func hasCode(err error, code jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == code
}

// refusal turns an answer of the server that is final into a fault.
func refusal(err error, size, limit int) error {
	switch {
	case hasCode(err, codeTooManyBatches), hasCode(err, codeTooManyFast):
		return fault.Wrap(err, fault.Unavailable, "log.too_many_batches", "too many changes of several resources are under way").
			WithHint("try again in a moment")
	case hasCode(err, codeBatchTooLarge):
		if n, ok := sequenceIn(err); ok {
			limit = int(n)
		}
		return tooLarge(size, limit)
	}
	return unavailable(err)
}

func tooLarge(size, limit int) error {
	return fault.New(fault.Exhausted, "log.batch_too_large",
		"the change has %d resources and one commit holds at most %d", size, limit).
		WithHint("apply it in parts that are whole by themselves")
}

// sequenceIn is the number that ends the description of 10071 ("wrong last
// sequence: 17") and 10199.
func sequenceIn(err error) (uint64, bool) {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return 0, false
	}
	_, number, found := strings.Cut(api.Description, ": ")
	if !found {
		return 0, false
	}
	n, parseErr := strconv.ParseUint(number, 10, 64)
	return n, parseErr == nil
}

// damageFault is a damage as an error that ends what is under way.
func damageFault(d Damage) error {
	return fault.New(fault.Internal, d.Reason, "the event log is damaged: %v", d).
		WithHint("setpoint doctor names everything that is damaged; restore the log from a backup")
}
