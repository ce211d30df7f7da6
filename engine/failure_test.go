package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

var errSink = errors.New("no space on the shelf")

// Each of the first offers fails in turn, as "failed and lost" and as "failed but done", alone and in runs.
func TestSinkFailsAtEachStep(t *testing.T) {
	const blocks = 4
	for step := range blocks {
		for run := 1; run <= 3; run++ {
			for _, kept := range []bool{false, true} {
				name := fmt.Sprintf("step=%d/run=%d/kept=%v", step, run, kept)
				t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { failAt(t, step, run, kept) }) })
			}
		}
	}
}

func failAt(t *testing.T, step, run int, kept bool) {
	signer := newSigner(t)
	sink := &shelf{fail: func(offer int, _ *logblock.LogBlock) (error, bool) {
		if offer >= step && offer < step+run {
			return errSink, kept
		}
		return nil, true
	}}
	n := start(t, engine.Config{Signer: signer, Sink: sink, MaxReceipts: 2})
	receipts := some(8)
	appendAll(t, n, receipts)
	synctest.Wait()
	s := n.Stats()
	// The block that failed is the last one sealed: the others wait, and nothing of them is lost.
	if s.SealedBlocks != uint64(step+1) || !errors.Is(s.SinkErr, errSink) || s.SinkFailures != 1 {
		t.Errorf("while block %d fails: Stats %+v", step+1, s)
	}
	closeNotary(t, n)
	if s := n.Stats(); s.SinkFailures != uint64(run) || s.SinkErr != nil {
		t.Errorf("after delivery: %d failures, error %v; want %d, nil", s.SinkFailures, s.SinkErr, run)
	}
	verify(t, signer.PublicKey(), sink.taken(), receipts)
}

func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer := newSigner(t)
		broken := true
		sink := &shelf{}
		sink.fail = func(int, *logblock.LogBlock) (error, bool) {
			if broken {
				return errSink, false
			}
			return nil, true
		}
		n := start(t, engine.Config{Signer: signer, Sink: sink, MaxReceipts: 2, MaxPending: 5})
		receipts := some(9)
		appendAll(t, n, receipts[:2])
		synctest.Wait() // block 1 is sealed and cannot leave
		for _, r := range receipts[2:7] {
			if _, err := n.TryAppend(r); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := n.TryAppend(receipts[7]); !errors.Is(err, engine.ErrBacklog) {
			t.Errorf("TryAppend into a full queue: got %v, want ErrBacklog", err)
		}
		short, cancel := context.WithTimeout(background, time.Minute)
		defer cancel()
		began := time.Now()
		if _, err := n.Append(short, receipts[7]); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Append into a full queue: got %v, want its context's end", err)
		}
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("Append waited %v, want its minute", waited)
		}
		sink.mu.Lock()
		broken = false
		sink.mu.Unlock()
		if _, err := n.Append(background, receipts[7]); err != nil { // waits for the next offer
			t.Error(err)
		}
		if _, err := n.Append(background, receipts[8]); err != nil {
			t.Error(err)
		}
		closeNotary(t, n)
		verify(t, signer.PublicKey(), sink.taken(), receipts)
	})
}

func TestBatchInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer, blocks := newSigner(t), make(chan *logblock.LogBlock)
		n := start(t, engine.Config{Signer: signer, Sink: chanSink(blocks), MaxReceipts: 2, MaxPending: 4})
		receipts := some(20)
		short, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		first, taken, err := n.AppendBatch(short, receipts)
		if first != 1 || taken != 6 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("AppendBatch nobody drains: got (%d, %d, %v), want 1, 6 (one block sealed, four pending), its context's end",
				first, taken, err)
		}
		var got []*logblock.LogBlock
		var wg sync.WaitGroup
		wg.Go(func() {
			for b := range blocks {
				got = append(got, b)
			}
		})
		if first, taken, err = n.AppendBatch(background, receipts[6:]); first != 7 || taken != 14 || err != nil {
			t.Errorf("AppendBatch of the rest: got (%d, %d, %v), want (7, 14, nil)", first, taken, err)
		}
		closeNotary(t, n)
		close(blocks)
		wg.Wait()
		verify(t, signer.PublicKey(), got, receipts)
	})
}

type chanSink chan<- *logblock.LogBlock

func (c chanSink) Deliver(ctx context.Context, b *logblock.LogBlock) error {
	select {
	case c <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestCloseKeepsWhatIsNotDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer := newSigner(t)
		sink := &shelf{fail: func(offer int, b *logblock.LogBlock) (error, bool) {
			if b.Height > 1 {
				return errSink, false
			}
			return nil, true
		}}
		n := start(t, engine.Config{Signer: signer, Sink: sink, MaxReceipts: 2, MaxPending: 6})
		receipts := some(10) // block 1 leaves, block 2 is sealed and does not, six wait behind it
		appendAll(t, n, receipts)
		var blocked sync.WaitGroup
		blocked.Go(func() {
			if _, err := n.Append(background, plain("late", 9)); !errors.Is(err, engine.ErrClosed) {
				t.Errorf("Append that waits while Close comes: got %v, want ErrClosed", err)
			}
		})
		synctest.Wait()
		short, cancel := context.WithTimeout(background, time.Hour)
		defer cancel()
		err := n.Close(short)
		var left *engine.UndeliveredError
		if !errors.As(err, &left) || !errors.Is(err, errSink) {
			t.Fatalf("Close: got %v, want an UndeliveredError with the sink's error", err)
		}
		if left.Unsealed != 0 {
			t.Errorf("%d receipts not sealed, want 0", left.Unsealed)
		}
		blocked.Wait()
		verify(t, signer.PublicKey(), append(sink.taken(), left.Blocks...), receipts)
		if again := n.Close(background); !errors.As(again, &left) || len(left.Blocks) != 4 {
			t.Errorf("second Close: got %v, want the same four blocks", again)
		}
		if _, err := n.Append(background, receipts[0]); !errors.Is(err, engine.ErrClosed) {
			t.Errorf("Append after Close: got %v, want ErrClosed", err)
		}
	})
}

func TestPermanentSinkError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &shelf{fail: func(int, *logblock.LogBlock) (error, bool) {
			return fmt.Errorf("%w: %w", engine.ErrPermanent, errSink), false
		}}
		n := start(t, engine.Config{Sink: sink, MaxReceipts: 2, MaxPending: 4})
		appendAll(t, n, some(3))
		synctest.Wait()
		if _, err := n.Append(background, plain("c", 9)); !errors.Is(err, errSink) {
			t.Errorf("Append after a permanent error: got %v, want that error", err)
		}
		if _, err := n.Wait(background, 3); !errors.Is(err, errSink) {
			t.Errorf("Wait for what will not be sealed: got %v, want that error", err)
		}
		if _, err := n.Seal(background); !errors.Is(err, errSink) {
			t.Errorf("Seal: got %v, want that error", err)
		}
		var left *engine.UndeliveredError
		if err := n.Close(background); !errors.As(err, &left) || len(left.Blocks) != 1 || left.Unsealed != 1 {
			t.Errorf("Close: got %v, want one block not delivered and one receipt not sealed", err)
		}
	})
}

// faulty signs as its Signer does until it is told to fail.
type faulty struct {
	*sign.Signer
	left int
}

var errSigner = errors.New("signer is gone")

func (f *faulty) SignBatch(digests [][32]byte, sigs [][64]byte) error {
	if f.left--; f.left < 0 {
		return errSigner
	}
	return f.Signer.SignBatch(digests, sigs)
}

func TestSignerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer, sink := newSigner(t), new(shelf)
		n := start(t, engine.Config{Signer: &faulty{Signer: signer, left: 1}, Sink: sink, MaxReceipts: 2, MaxPending: 6})
		receipts := some(6)
		for _, r := range receipts[:3] {
			if _, err := n.Append(background, r); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := n.Wait(background, 3); !errors.Is(err, errSigner) {
				t.Errorf("Wait: got %v, want the signer's error", err)
			}
		})
		synctest.Wait()
		if _, err := n.Append(background, receipts[3]); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if _, err := n.Append(background, receipts[4]); !errors.Is(err, errSigner) {
			t.Errorf("Append: got %v, want the signer's error", err)
		}
		var left *engine.UndeliveredError
		if err := n.Close(background); !errors.As(err, &left) || len(left.Blocks) != 0 || left.Unsealed != 2 {
			t.Errorf("Close: got %v, want two receipts not sealed", err)
		}
		verify(t, signer.PublicKey(), sink.taken(), receipts[:2])
	})
}

func TestRefusals(t *testing.T) {
	n := start(t, engine.Config{Sink: new(shelf)})
	foreign, bad := plain("c", 1), plain("c", 2)
	foreign.App = "another"
	bad.TS = "yesterday"
	for _, c := range []struct {
		batch []*receipt.Receipt
		index int
		field string
	}{
		{[]*receipt.Receipt{foreign}, 0, "app"},
		{[]*receipt.Receipt{plain("c", 0), bad}, 1, "ts"},
		{[]*receipt.Receipt{plain("c", 0), plain("c", 1), {App: "app"}}, 2, "container"},
	} {
		_, taken, err := n.AppendBatch(background, c.batch)
		var refused *engine.RefusedError
		var field *receipt.FieldError
		if taken != 0 || !errors.As(err, &refused) || refused.Index != c.index || !errors.As(err, &field) || field.Field != c.field {
			t.Errorf("got (%d, %v), want receipt %d refused for %s", taken, err, c.index, c.field)
		}
	}
	if s := n.Stats(); s.Pending != 0 {
		t.Errorf("%d pending after refusals, want 0", s.Pending)
	}
	if seq, err := n.Append(background, plain("c", 0)); err != nil || seq != 1 {
		t.Errorf("Append after refusals: got (%d, %v), want (1, nil)", seq, err)
	}
	closeNotary(t, n)
}
