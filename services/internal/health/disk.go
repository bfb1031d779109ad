package health

import (
	"context"
	"fmt"
	"syscall"
)

// leastFree is how much room a disk must have for the log to take writes: what
// one large commit and the record's part of it may need.
const leastFree = 32 << 20

// Disk tells the room for this process on the disk of a folder, and its size,
// in bytes.
func Disk(folder string) (free, size uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}

// DiskHasRoom checks the disk of a folder.
func DiskHasRoom(folder string) Check {
	return Check{"disk", func(context.Context) error {
		free, size, err := Disk(folder)
		if err != nil {
			return fmt.Errorf("the data folder cannot be looked at: %w", err)
		}
		if least := min(leastFree, size/100); free < least {
			return fmt.Errorf("the disk of the data folder has %d MiB left", free>>20)
		}
		return nil
	}}
}
