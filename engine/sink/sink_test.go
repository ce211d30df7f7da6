package sink_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sink"
)

var errDisk = errors.New("disk is full")

// torn takes at most allow bytes in all and fails then; with lie it reports the error even when it took everything.
type torn struct {
	bytes.Buffer
	allow int
	lie   bool
}

func (w *torn) Write(p []byte) (int, error) {
	n, err := min(len(p), w.allow-w.Len()), errDisk
	if n == len(p) && !w.lie {
		err = nil
	}
	w.Buffer.Write(p[:n])
	return n, err
}

func block(height uint64) *logblock.LogBlock {
	return &logblock.LogBlock{
		App: "app", Height: height, Count: 1, Scheme: logblock.BPI1,
		FromTS: "2026-01-15T10:00:00Z", ToTS: "2026-01-15T10:00:00Z",
	}
}

// Wherever a write breaks off, the repeated block completes its line and no line comes twice.
func TestWriterResumesALine(t *testing.T) {
	var whole bytes.Buffer
	clean := sink.NewWriter(&whole)
	for h := uint64(1); h <= 2; h++ {
		if err := clean.Deliver(context.Background(), block(h)); err != nil {
			t.Fatal(err)
		}
	}
	if lines := bytes.Count(whole.Bytes(), []byte("\n")); lines != 2 {
		t.Fatalf("two blocks are %d lines", lines)
	}
	for cut := range whole.Len() {
		w := &torn{allow: cut}
		s := sink.NewWriter(w)
		failed := 0
		for h := uint64(1); h <= 2; {
			if err := s.Deliver(context.Background(), block(h)); err != nil {
				if !errors.Is(err, errDisk) {
					t.Fatalf("cut at %d: %v", cut, err)
				}
				failed++
				w.allow = whole.Len()
				continue
			}
			h++
		}
		if failed != 1 || w.String() != whole.String() {
			t.Fatalf("cut at %d: %d failures, got %q, want %q", cut, failed, w.String(), whole.String())
		}
	}
}

func TestWriterErrorAfterTheWholeLine(t *testing.T) {
	w := &torn{allow: 1 << 20, lie: true}
	s := sink.NewWriter(w)
	for range 2 {
		if err := s.Deliver(context.Background(), block(1)); !errors.Is(err, errDisk) {
			t.Fatalf("got %v, want the writer's error", err)
		}
	}
	w.lie = false
	if err := s.Deliver(context.Background(), block(1)); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(w.Bytes(), []byte("\n")); got != 1 {
		t.Errorf("%d lines, want 1", got)
	}
}

func TestWriterRefusesAnotherBlockMidLine(t *testing.T) {
	w := &torn{allow: 10}
	s := sink.NewWriter(w)
	if err := s.Deliver(context.Background(), block(1)); !errors.Is(err, errDisk) {
		t.Fatalf("got %v, want the writer's error", err)
	}
	w.allow = 1 << 20
	if err := s.Deliver(context.Background(), block(2)); err == nil {
		t.Error("block 2 was written into the line of block 1")
	}
	if w.Len() != 10 {
		t.Errorf("%d bytes written, want the 10 of before", w.Len())
	}
}

func TestChannel(t *testing.T) {
	c := make(chan *logblock.LogBlock, 1)
	b := block(1)
	if err := sink.Channel(c).Deliver(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := sink.Channel(c).Deliver(done, block(2)); !errors.Is(err, context.Canceled) {
		t.Errorf("Deliver to a full channel: got %v, want its context's end", err)
	}
	if got := <-c; got != b {
		t.Errorf("received %v, want the block that was sent", got)
	}
}

// A reader that stopped reading does not hold up who gives delivery up.
func TestWriterHeedsItsContext(t *testing.T) {
	r, w := net.Pipe()
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- sink.NewWriter(w).Deliver(ctx, block(1)) }()
	cancel()
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the deadline's error", err)
	}
}
