package record

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
)

// Never is the rev_to of a row that nothing has superseded.
const Never = 1<<63 - 1

// Store keeps the record in a database.
type Store interface {
	// Checkpoint returns where the projection stands; the zero Checkpoint for
	// an empty database.
	Checkpoint(ctx context.Context) (Checkpoint, error)
	// Write applies the changes in order and moves the checkpoint, in one
	// transaction. It fails if the stored checkpoint is not from.
	Write(ctx context.Context, from, to Checkpoint, changes []Change) error
	// View runs f on one consistent picture: everything f reads is as of one
	// checkpoint, whatever is written meanwhile.
	View(ctx context.Context, f func(View) error) error
	// Rows calls f for every row of every table but the checkpoint, by table and
	// then by primary key, column by column: texts in byte order, integers as
	// numbers. It reads one consistent picture and returns its checkpoint. Two
	// stores that folded the same log give the same rows, whatever databases they
	// are.
	Rows(ctx context.Context, f func(Row) error) (Checkpoint, error)
	Close() error
}

// Preparer is a Store that can do a part of a Write beforehand, while another
// Write is under way.
type Preparer interface {
	// Prepare begins the preparation of one Write.
	Prepare() Preparation
	// BulkMessages is how many messages a Write should hold where a stretch of
	// the log is folded.
	BulkMessages() int
}

// Preparation gathers the changes of one Write.
type Preparation interface {
	// Add takes the next changes; the slice stays the caller's.
	Add(changes []Change) error
	// Changes come to what was added, and are written faster. They are written
	// once.
	Changes() []Change
}

// reusable is a Preparation whose memory can serve for another Write.
type reusable interface {
	Preparation
	// Reset begins the preparation of another Write, when what the last one came
	// to was written, or never will be.
	Reset()
}

// prepare begins the preparation of a Write to any Store.
func prepare(s Store) Preparation {
	if p, ok := s.(Preparer); ok {
		return p.Prepare()
	}
	return new(unprepared)
}

// bulkSize is how many messages a Write of a bulk fold to any Store holds.
func bulkSize(s Store) int {
	if p, ok := s.(Preparer); ok {
		return p.BulkMessages()
	}
	return bulkMessages
}

// unprepared are changes as they are.
type unprepared struct{ changes []Change }

func (u *unprepared) Add(changes []Change) error {
	u.changes = append(u.changes, changes...)
	return nil
}

func (u *unprepared) Changes() []Change { return u.changes }

// Checkpoint places a projection in a log.
type Checkpoint struct {
	LogID    string
	Revision uint64 // the end of the last commit folded
	Hash     []byte // of the last envelope folded
}

// View reads one organization-partitioned picture. Revisions given to its
// methods are legal revisions at or below Revision; what was recorded later is
// invisible. A missing row is (nil, nil) or an empty slice, never an error.
type View interface {
	// Revision is the checkpoint of the picture.
	Revision() uint64
	// RevisionAt is the last revision recorded at or before the instant, 0 if
	// there is none.
	RevisionAt(at time.Time) (uint64, error)
	// Commit returns the end of the commit that holds this sequence or the
	// last one before it, 0 if there is none.
	Commit(sequence uint64) (uint64, error)

	// Resource returns the version of a resource that stood at a revision.
	Resource(org, kind, name string, at uint64) (*Resource, error)
	// LastNamed returns the newest version, up to a revision, that had a name:
	// of a resource that was deleted or renamed since, the last one.
	LastNamed(org, kind, name string, at uint64) (*Resource, error)
	// Resources returns those of a kind that stood at a revision, by name,
	// after the given name, at most limit (0: all).
	Resources(org, kind string, at uint64, after string, limit int) ([]*Resource, error)
	// Versions returns every version of every resource of a kind that stands
	// at a revision, since it was created, by id and then oldest first.
	Versions(org, kind string, at uint64) ([]*Resource, error)

	// Observations returns the values of one metric (by id) that stood at a
	// revision, by date and source, after the given key, at most limit (0: all).
	Observations(org, metricID string, at uint64, after ObservationKey, limit int) ([]Observation, error)
	// AllObservations calls f for each value of each metric that stood at a
	// revision, by metric id, date and source.
	AllObservations(org string, at uint64, f func(Observation) error) error
	// Observation returns the current value of an identity, nil if none, and
	// the names of up to two other sources with a value at the same date.
	Observation(org, metricID string, key ObservationKey) (have *Observation, beside []string, err error)

	// CheckIns returns what was said about one target (by id) from one revision
	// to another, newest first, before the given key (zero: from the newest), at
	// most limit (0: all).
	CheckIns(org, targetID string, since, at uint64, before CheckInKey, limit int) ([]CheckIn, error)
	// AllCheckIns calls f for everything said by a revision, by target id and
	// then oldest first.
	AllCheckIns(org string, at uint64, f func(CheckIn) error) error

	// Organizations are the tenants that ever declared a resource of a kind, sorted.
	Organizations(kind string) ([]string, error)
	// Erasures returns those of an organization, of all of them if org is "", up
	// to the picture's revision, oldest first.
	Erasures(org string) ([]Erasure, error)
	// State returns what an aggregate was at a revision, as its events told it; nil
	// if none did by then.
	State(org, service, kind, id string, at uint64) (*State, error)
	// States calls f for the state of each aggregate of a kind at a revision, by id.
	States(org, service, kind string, at uint64, f func(State) error) error

	// Aggregate returns where an aggregate stands in the log, nil if it has no
	// event.
	Aggregate(org, service, kind, id string) (*Aggregate, error)
	// Request returns the command that carried this request id, nil if none.
	Request(org, requestID string) (*Request, error)
}

// Resource is one version of a declared resource.
type Resource struct {
	Org, Kind, Name, ID string
	Metadata            *commonv1.Metadata
	Spec                proto.Message
	Set                 string
	From, To            uint64 // the revisions between which the version stands: [From, To)
	Created             uint64 // the revision that created the resource
	Effective           string // YYYY-MM-DD
	Recorded            time.Time
	Principal, Manager  string
}

// ObservationKey is the identity of an observation within its metric.
type ObservationKey struct {
	At     string // YYYY-MM-DD or RFC 3339 UTC
	Source string
}

// Observation is one version of an observed value.
type Observation struct {
	Org, MetricID string
	ObservationKey
	Value       float64
	Note        string
	From, To    uint64
	Recorded    time.Time
	Corrections int // versions before this one
}

// State is what an aggregate was from one revision on, as the event that made it
// so told it.
type State struct {
	Org, Service, Kind, ID string
	From                   uint64
	Payload                []byte
	Recorded               time.Time
}

// Aggregate places an aggregate in the log.
type Aggregate struct {
	Sequence uint64 // of its last envelope
	Hash     []byte // of its last envelope
	Revision uint64 // the end of that envelope's commit
}

// Request is a command that was carried out.
type Request struct {
	Org, ID             string
	Digest              []byte
	Revision            uint64
	Recorded, Corrected int    // observations
	Detail              []byte // the declaration.v1.Changed of a declarative write
}

// Change is one row-level consequence of an event, the same for every
// database.
type Change interface{ change() }

// PutResource begins a new version of the resource with this ID; From, Name
// and so on are of the new version. A version that stood under the same ID,
// also under another name, ends at From.
type PutResource struct{ Resource }

// EndResource ends the version that stands under this ID.
type EndResource struct {
	Org, Kind, ID string
	Revision      uint64
}

// PutObservation begins a new version of an observed value.
type PutObservation struct {
	Observation
	// New tells that the store has no value of this identity, so that it need
	// not look for one to end. Other changes of the same Write may have.
	New bool
}

// PutCheckIn remembers what somebody said about a target.
type PutCheckIn struct{ CheckIn }

// PutState remembers what an aggregate is from a revision on. The same commit
// puts the aggregate: listing states begins with those.
type PutState struct{ State }

// PutAggregate moves an aggregate's place in the log.
type PutAggregate struct {
	Org, Service, Kind, ID string
	Aggregate
}

// PutRequest remembers a command; a commit of several envelopes adds up.
type PutRequest struct{ Request }

// PutCommit remembers when a revision was recorded.
type PutCommit struct {
	Org      string
	Revision uint64
	Recorded time.Time
}

func (PutResource) change()    {}
func (EndResource) change()    {}
func (PutObservation) change() {}
func (PutCheckIn) change()     {}
func (PutState) change()       {}
func (PutAggregate) change()   {}
func (PutRequest) change()     {}
func (PutCommit) change()      {}

// Row is one row of a store in a form that is the same for every database.
type Row struct {
	Table string
	// Key holds the columns of the primary key, Value the others, as
	// column=value in the order of the table's definition in SQLite, joined by
	// ColumnSeparator: integers in decimal, bytes in hexadecimal, floats in
	// their shortest exact form, NULL as null, text as it is.
	Key, Value string
}

// ColumnSeparator joins the columns of a Row; no text of the record has it.
const ColumnSeparator = 0x1f
