package journal_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
)

// A segment that could not be written with zeros is given up, and another is prepared without anybody asking for it.
func TestPreparesAgain(t *testing.T) {
	for _, op := range []string{"WriteAt", "Sync"} {
		var calls []journaltest.Call
		if err := bubble(t, func() (err error) { calls, err = fillTwoSegments(); return err }); err != nil {
			t.Fatal(err)
		}
		n := 1 + slices.IndexFunc(calls, func(c journaltest.Call) bool { return c.Op == op && c.Name == "spare-0000000000000002" })
		if n == 0 {
			t.Fatalf("no %s of the second spare file", op)
		}
		if err := bubble(t, func() error { _, err := fillTwoSegments(journaltest.Fault{Call: n}); return err }); err != nil {
			t.Errorf("after a %s that failed: %v", op, err)
		}
	}
}

func fillTwoSegments(plan ...journaltest.Fault) ([]journaltest.Call, error) {
	fs := journaltest.NewFaults(journaltest.NewMem(), plan...)
	j, err := journal.Open(journal.Config{FS: fs, SegmentSize: segmentSize}, nil)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	synctest.Wait() // till the second segment has its zeros, or has failed
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var end journal.Offset
	for range 2 {
		if _, end, err = j.Append(1, make([]byte, 50_000)); err != nil {
			return nil, err
		}
	}
	if err := j.Wait(ctx, end); err != nil {
		return nil, fmt.Errorf("Wait: %w", err)
	}
	return fs.Calls(), nil
}
