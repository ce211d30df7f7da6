package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
				for _, grouped := range []bool{false, true} {
					name := fmt.Sprintf("step=%d/run=%d/kept=%v/grouped=%v", step, run, kept, grouped)
					t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { failAt(t, step, run, kept, grouped) }) })
				}
			}
		}
	}
}

func failAt(t *testing.T, step, run int, kept, grouped bool) {
	signer := newSigner(t)
	sink := &shelf{fail: func(offer int, _ *logblock.LogBlock) (error, bool) {
		if offer >= step && offer < step+run {
			return errSink, kept
		}
		return nil, true
	}}
	n := start(t, engine.Config{Signer: signer, Sink: sink, MaxReceipts: 2})
	receipts := some(8)
	for i, r := range receipts {
		if seq, err := n.Append(background, r); err != nil || seq != engine.Seq(i+1) {
			t.Fatalf("Append of receipt %d: got (%d, %v), want (%d, nil)", i, seq, err, i+1)
		}
		if !grouped && i%2 == 1 {
			synctest.Wait() // each block is sealed before the next is cut, unless the Sink has failed
		}
	}
	synctest.Wait()
	s := n.Stats()
	// No block is sealed after those that were signed together with the one that failed: the others wait, and nothing of
	// them is lost.
	if s.SealedBlocks < uint64(step+1) || !grouped && s.SealedBlocks != uint64(step+1) ||
		!errors.Is(s.SinkErr, errSink) || s.SinkFailures != 1 {
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
		sealed := int(n.Stats().SealedReceipts) // one block, or two that were signed together
		if first != 1 || taken != sealed+4 || sealed != 2 && sealed != 4 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("AppendBatch nobody drains: got (%d, %d, %v) with %d sealed, want 1, four more than sealed, its context's end",
				first, taken, err, sealed)
		}
		var got []*logblock.LogBlock
		var wg sync.WaitGroup
		wg.Go(func() {
			for b := range blocks {
				got = append(got, b)
			}
		})
		if first, taken, err = n.AppendBatch(background, receipts[sealed+4:]); first != engine.Seq(sealed+5) || taken != 16-sealed || err != nil {
			t.Errorf("AppendBatch of the rest: got (%d, %d, %v), want (%d, %d, nil)", first, taken, err, sealed+5, 16-sealed)
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
		for _, part := range [][]*receipt.Receipt{receipts[:4], receipts[4:]} {
			if _, _, err := n.AppendBatch(background, part); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
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
		if len(left.Leaves) != 0 {
			t.Errorf("%d receipts not sealed, want 0", len(left.Leaves))
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
		if err := n.Close(background); !errors.As(err, &left) || len(left.Blocks) != 1 || len(left.Leaves) != 1 {
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

// When the signer fails, whoever waits is told: for room, for a cut block, for a block still open.
func TestSignerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer, release := newSigner(t), make(chan *logblock.LogBlock)
		n := start(t, engine.Config{
			Signer: &faulty{Signer: signer, left: 1}, Sink: chanSink(release), MaxReceipts: 2, MaxPending: 3, MaxWindow: time.Hour,
		})
		receipts := some(6)
		appendAll(t, n, receipts[:5]) // block 1 is sealed and waits for the sink; 2 is cut, one receipt is open
		var wg sync.WaitGroup
		for _, seq := range []engine.Seq{3, 5} {
			wg.Go(func() {
				if _, err := n.Wait(background, seq); !errors.Is(err, errSigner) {
					t.Errorf("Wait(%d): got %v, want the signer's error", seq, err)
				}
			})
		}
		wg.Go(func() {
			if _, err := n.Append(background, receipts[5]); !errors.Is(err, errSigner) {
				t.Errorf("Append in line: got %v, want the signer's error", err)
			}
		})
		synctest.Wait()
		first := <-release
		wg.Wait()
		time.Sleep(2 * time.Hour) // the open block's window passes; nothing is cut any more
		if _, err := n.Append(background, receipts[5]); !errors.Is(err, errSigner) {
			t.Errorf("Append: got %v, want the signer's error", err)
		}
		if _, err := n.Wait(background, 5); !errors.Is(err, errSigner) {
			t.Errorf("Wait after the failure: got %v, want the signer's error", err)
		}
		var left *engine.UndeliveredError
		if err := n.Close(background); !errors.As(err, &left) || !errors.Is(err, errSigner) || len(left.Blocks) != 0 {
			t.Fatalf("Close: got %v, want receipts not sealed and the signer's error", err)
		}
		verify(t, signer.PublicKey(), []*logblock.LogBlock{first}, receipts[:2])
		hasLeaves(t, left.Leaves, receipts[2:5])
	})
}

// hasLeaves asserts that leaves are the encodings of receipts, in order.
func hasLeaves(t *testing.T, leaves [][]byte, receipts []*receipt.Receipt) {
	t.Helper()
	if len(leaves) != len(receipts) {
		t.Fatalf("%d leaves not sealed, want %d", len(leaves), len(receipts))
	}
	for i, r := range receipts {
		if enc, err := r.AppendCanonical(nil); err != nil || string(enc) != string(leaves[i]) {
			t.Errorf("leaf %d is not receipt %d (%v)", i, i, err)
		}
	}
}

func TestBackPressureByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer, blocks := newSigner(t), make(chan *logblock.LogBlock)
		n := start(t, engine.Config{
			Signer: signer, Sink: chanSink(blocks), MaxReceipts: 1000, MaxPendingBytes: engine.MinMaxPendingBytes,
		})
		receipts := some(200)
		for _, r := range receipts {
			r.Labels = []receipt.Label{{Key: "k", Value: strings.Repeat("v", 60_000)}}
		}
		accepted, full := 0, -1
		for ; accepted < len(receipts); accepted++ {
			if _, err := n.TryAppend(receipts[accepted]); err != nil {
				if !errors.Is(err, engine.ErrBacklog) {
					t.Fatal(err)
				}
				if full == accepted {
					break
				}
				full = accepted
				accepted--
				synctest.Wait() // the first blocks make room when they are sealed
			}
		}
		s := n.Stats()
		if s.PendingBytes > engine.MinMaxPendingBytes || s.PendingBytes < engine.MinMaxPendingBytes-61_000 {
			t.Errorf("%d bytes pending when the queue is full, want just below %d", s.PendingBytes, engine.MinMaxPendingBytes)
		}
		var got []*logblock.LogBlock
		var wg sync.WaitGroup
		wg.Go(func() {
			for b := range blocks {
				got = append(got, b)
			}
		})
		closeNotary(t, n)
		close(blocks)
		wg.Wait()
		verify(t, signer.PublicKey(), got, receipts[:accepted])
	})
}

// The pauses between offers double from 50 ms to 30 s, each shortened by up to half.
func TestBackoffGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var offers []time.Time
		sink := &shelf{fail: func(offer int, _ *logblock.LogBlock) (error, bool) {
			offers = append(offers, time.Now())
			if offer < 14 {
				return errSink, false
			}
			return nil, true
		}}
		n := start(t, engine.Config{Sink: sink, MaxReceipts: 1})
		appendAll(t, n, some(1))
		closeNotary(t, n)
		if len(offers) != 15 {
			t.Fatalf("%d offers, want 15", len(offers))
		}
		for i, most := 1, 50*time.Millisecond; i < len(offers); i, most = i+1, min(2*most, 30*time.Second) {
			if pause := offers[i].Sub(offers[i-1]); pause > most || pause < most/2 {
				t.Errorf("pause %d is %v, want %v to %v", i, pause, most/2, most)
			}
		}
	})
}

// An error that was overcome is not what Close blames.
func TestCloseBlamesTheLastBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, stuck := errors.New("old failure"), make(chan struct{})
		n := start(t, engine.Config{MaxReceipts: 1, Sink: sinkFunc(func(ctx context.Context, b *logblock.LogBlock) error {
			if b.Height == 1 {
				select {
				case <-stuck:
					return nil
				default:
					close(stuck)
					return old
				}
			}
			<-ctx.Done()
			return ctx.Err()
		})})
		appendAll(t, n, some(2))
		synctest.Wait()
		time.Sleep(time.Minute)
		ended, cancel := context.WithCancel(background)
		cancel()
		err := n.Close(ended)
		if !errors.Is(err, context.Canceled) || errors.Is(err, old) {
			t.Errorf("Close: got %v, want its context's end and no old failure", err)
		}
	})
}

type sinkFunc func(context.Context, *logblock.LogBlock) error

func (f sinkFunc) Deliver(ctx context.Context, b *logblock.LogBlock) error { return f(ctx, b) }

// A second Close waits for the first, or for its own context; it does not cut the first short.
func TestSecondCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocks := make(chan *logblock.LogBlock)
		n := start(t, engine.Config{Sink: chanSink(blocks), MaxReceipts: 1})
		appendAll(t, n, some(2))
		var wg sync.WaitGroup
		wg.Go(func() { closeNotary(t, n) })
		synctest.Wait()
		ended, cancel := context.WithCancel(background)
		cancel()
		if err := n.Close(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("second Close: got %v, want its context's end", err)
		}
		for range 2 {
			<-blocks
		}
		wg.Wait()
		if err := n.Close(ended); err != nil {
			t.Errorf("Close after Close: got %v, want nil", err)
		}
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
