package record

import "context"

// Database keeps the generations of the record: one is live and read by
// everybody, others may be built beside it. Several processes may have one
// database open; in each of them any number of readers, and in all of them
// together one writer of a generation, because a second one's Write fails.
//
// Reading through a Database picks the live generation inside the read's own
// transaction, so that no picture is of two generations.
type Database interface {
	// View runs f on one consistent picture of the live generation.
	View(ctx context.Context, f func(View) error) error
	// Checkpoint is where the live generation stands; the zero Checkpoint if
	// there is none or it is empty.
	Checkpoint(ctx context.Context) (Checkpoint, error)

	// Generations lists them, oldest first. One that is not live is unfinished if
	// its number is higher than the live one's; otherwise it was live before.
	Generations(ctx context.Context) ([]Generation, error)
	// Live opens the live generation for its writer, and makes the first one if
	// there is none. A live generation of an older FoldVersion is still read;
	// whoever projects builds the next one beside it.
	Live(ctx context.Context) (Store, Generation, error)
	// Begin makes an empty generation of the present FoldVersion beside the live
	// one, or opens the unfinished one of that version, to go on where it stands.
	Begin(ctx context.Context) (Store, Generation, error)
	// Promote makes a generation live, in one transaction. It fails with Aborted,
	// record.generation_behind, if the generation does not stand at least where
	// the live one stands, or is of another log. From then on a Write to the
	// generation that was live fails with Aborted, record.generation_superseded,
	// and its readers finish on it.
	Promote(ctx context.Context, number int) error
	// Drop removes a generation that is not live, once its readers have gone.
	Drop(ctx context.Context, number int) error

	// Watch calls f whenever the live generation's checkpoint has moved or
	// another generation has become live, whichever process did it, with the
	// newest revision of each organization that something was folded of since
	// the last call, until ctx ends. Calls may be merged; none is lost.
	Watch(ctx context.Context, f func(at Checkpoint, orgs map[string]uint64)) error

	Close() error
}

// FoldVersion is the version of what Fold makes of an event and of the tables
// that keep it. A higher one than a generation's means that the generation is
// built anew from the log.
const FoldVersion = 1

// Generation is one build of the record.
type Generation struct {
	Number  int
	Version int // FoldVersion when it was begun
	Live    bool
	At      Checkpoint
}
