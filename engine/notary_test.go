package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(loadEnv); task != "" {
		if err := loadMain(task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

var background = context.Background()

func newSigner(t testing.TB) *sign.Signer {
	t.Helper()
	s, err := sign.GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain is a receipt of app "app" that nobody signed; container and number tell it apart.
func plain(container string, number int) *receipt.Receipt {
	r := &receipt.Receipt{
		App: "app", Container: container, Op: "exec.start",
		TS:       time.Unix(int64(1700000000+number%97), 0).UTC().Format(time.RFC3339),
		Resource: receipt.Resource{CPUms: uint64(number), MemoryMBs: 2, StorageGBDay: 0.25, EgressMB: 1.2},
		PrevHash: receipt.Genesis(),
		Hash:     receipt.Digest([32]byte{byte(number), byte(number >> 8), byte(number >> 16)}),
		Sig:      receipt.Signature([64]byte{1}),
	}
	return r
}

// shelf is a Sink that keeps what it took. fail, when set, is asked before each offer.
type shelf struct {
	mu     sync.Mutex
	blocks []*logblock.LogBlock
	last   map[string]uint64 // height of each app's last block
	offers int
	// fail returns whether the offer (from 0) fails and whether the block is kept all the same.
	fail func(offer int, b *logblock.LogBlock) (err error, kept bool)
}

func (s *shelf) Deliver(_ context.Context, b *logblock.LogBlock) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	kept := true
	if s.fail != nil {
		err, kept = s.fail(s.offers, b)
	}
	s.offers++
	if kept {
		// At least once: a receiver drops what it has.
		if s.last[b.App] < b.Height {
			if s.last == nil {
				s.last = make(map[string]uint64)
			}
			s.last[b.App] = b.Height
			s.blocks = append(s.blocks, b)
		}
	}
	return err
}

func (s *shelf) taken() []*logblock.LogBlock {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*logblock.LogBlock(nil), s.blocks...)
}

// verify has the chain checker hold blocks against the receipts, in order.
func verify(t *testing.T, key sign.PublicKey, blocks []*logblock.LogBlock, receipts []*receipt.Receipt) {
	t.Helper()
	c, err := logblock.NewChecker(logblock.CheckerConfig{Key: key, WithReceipts: true})
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	for _, b := range blocks {
		if err := c.Block(b); err != nil {
			t.Fatalf("block %d: %v", b.Height, err)
		}
		for i := uint32(0); i < b.Count; i++ {
			if next == len(receipts) {
				t.Fatalf("block %d: receipt %d was never accepted", b.Height, i)
			}
			if err := c.Receipt(receipts[next]); err != nil {
				t.Fatalf("block %d, receipt %d: %v", b.Height, i, err)
			}
			next++
		}
	}
	if next != len(receipts) {
		t.Fatalf("%d receipts are in no block", len(receipts)-next)
	}
	if len(blocks) == 0 {
		return
	}
	if _, err := c.Finish(); err != nil {
		t.Fatal(err)
	}
}

func counts(blocks []*logblock.LogBlock) string {
	var b bytes.Buffer
	for _, block := range blocks {
		fmt.Fprintf(&b, "%d ", block.Count)
	}
	return b.String()
}

func start(t *testing.T, cfg engine.Config) *engine.Notary {
	t.Helper()
	if cfg.App == "" {
		cfg.App = "app"
	}
	if cfg.Signer == nil {
		cfg.Signer = newSigner(t)
	}
	n, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func appendAll(t *testing.T, n *engine.Notary, receipts []*receipt.Receipt) {
	t.Helper()
	for i, r := range receipts {
		seq, err := n.Append(background, r)
		if err != nil || seq != engine.Seq(i+1) {
			t.Fatalf("Append of receipt %d: got (%d, %v), want (%d, nil)", i, seq, err, i+1)
		}
	}
}

func closeNotary(t *testing.T, n *engine.Notary) {
	t.Helper()
	if err := n.Close(background); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func some(count int) []*receipt.Receipt {
	receipts := make([]*receipt.Receipt, count)
	for i := range receipts {
		receipts[i] = plain("c", i)
	}
	return receipts
}

func TestCutByCount(t *testing.T) {
	signer, sink := newSigner(t), new(shelf)
	n := start(t, engine.Config{Signer: signer, Sink: sink, MaxReceipts: 3})
	receipts := some(10)
	appendAll(t, n, receipts)
	closeNotary(t, n)
	if got, want := counts(sink.taken()), "3 3 3 1 "; got != want {
		t.Errorf("blocks of %s, want %s", got, want)
	}
	verify(t, signer.PublicKey(), sink.taken(), receipts)
	if s := n.Stats(); s.SealedReceipts != 10 || s.SealedBlocks != 4 || s.Height != 4 || s.Pending != 0 || s.PendingBytes != 0 {
		t.Errorf("Stats %+v, want 10 receipts in 4 blocks, nothing pending", s)
	}
}

func TestAppendCopies(t *testing.T) {
	signer, sink := newSigner(t), new(shelf)
	n := start(t, engine.Config{Signer: signer, Sink: sink})
	r := plain("c", 1)
	text := []byte("exec.run")
	r.Op = string(text)
	want := r.Clone()
	if _, err := n.Append(background, r); err != nil {
		t.Fatal(err)
	}
	*r = receipt.Receipt{}
	closeNotary(t, n)
	verify(t, signer.PublicKey(), sink.taken(), []*receipt.Receipt{&want})
}

// The clock is the notary's own: an idle app's receipts are sealed when the oldest has waited MaxWindow, whatever ts says.
func TestCutByWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer, sink := newSigner(t), new(shelf)
		n := start(t, engine.Config{Signer: signer, Sink: sink, MaxReceipts: 4, MaxWindow: 10 * time.Second})
		receipts := some(8)
		began := time.Now()
		at := func(seconds int) {
			t.Helper()
			time.Sleep(time.Until(began.Add(time.Duration(seconds) * time.Second)))
			synctest.Wait()
		}
		put := func(from, to int) {
			t.Helper()
			for _, r := range receipts[from:to] {
				if _, err := n.Append(background, r); err != nil {
					t.Fatal(err)
				}
			}
		}
		sealed := func(want int) {
			t.Helper()
			if got := len(sink.taken()); got != want {
				t.Fatalf("after %v: %d blocks, want %d", time.Since(began), got, want)
			}
		}
		put(0, 1)
		at(9)
		put(1, 2)
		sealed(0)
		if s := n.Stats(); s.OldestPending != 9*time.Second || s.Pending != 2 {
			t.Errorf("Stats after 9 s: oldest %v, pending %d; want 9s, 2", s.OldestPending, s.Pending)
		}
		at(10)
		sealed(1)
		at(60) // idle: no empty blocks
		sealed(1)
		put(2, 6) // cut by count while the timer runs
		synctest.Wait()
		sealed(2)
		at(65)
		put(6, 7) // its window ends at 75, not at 70
		at(74)
		sealed(2)
		at(75)
		sealed(3)
		at(100)
		put(7, 8)
		at(110)
		sealed(4)
		closeNotary(t, n)
		if got, want := counts(sink.taken()), "2 4 1 1 "; got != want {
			t.Errorf("blocks of %s, want %s", got, want)
		}
		verify(t, signer.PublicKey(), sink.taken(), receipts)
	})
}

func TestCutByBytes(t *testing.T) {
	signer, sink := newSigner(t), new(shelf)
	n := start(t, engine.Config{
		Signer: signer, Sink: sink, MaxReceipts: 1000, MaxPendingBytes: engine.MinMaxPendingBytes,
	})
	receipts := some(40)
	for _, r := range receipts {
		r.Labels = []receipt.Label{{Key: "k", Value: string(bytes.Repeat([]byte("v"), 60_000))}}
	}
	appendAll(t, n, receipts)
	closeNotary(t, n)
	// A quarter of 4 MiB is reached by the 18th leaf of some 60,300 bytes.
	if got, want := counts(sink.taken()), "18 18 4 "; got != want {
		t.Errorf("blocks of %s, want %s", got, want)
	}
	verify(t, signer.PublicKey(), sink.taken(), receipts)
}

func TestSealByHand(t *testing.T) {
	signer, sink := newSigner(t), new(shelf)
	n := start(t, engine.Config{Signer: signer, Sink: sink})
	if _, err := n.Seal(background); !errors.Is(err, engine.ErrEmpty) {
		t.Errorf("Seal of nothing: got %v, want ErrEmpty", err)
	}
	receipts := some(5)
	appendAll(t, n, receipts)
	b, err := n.Seal(background)
	if err != nil || b.Height != 1 || b.Count != 5 {
		t.Fatalf("Seal: got (%+v, %v), want block 1 of 5 receipts", b, err)
	}
	if _, err := n.Seal(background); !errors.Is(err, engine.ErrEmpty) {
		t.Errorf("second Seal: got %v, want ErrEmpty", err)
	}
	closeNotary(t, n)
	if _, err := n.Seal(background); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("Seal after Close: got %v, want ErrClosed", err)
	}
	verify(t, signer.PublicKey(), sink.taken(), receipts)
}

func TestResume(t *testing.T) {
	signer, sink := newSigner(t), new(shelf)
	receipts := some(7)
	n := start(t, engine.Config{Signer: signer, Sink: sink, MaxReceipts: 2})
	appendAll(t, n, receipts[:4])
	closeNotary(t, n)
	last := sink.taken()[1]
	hash, err := last.Hash()
	if err != nil {
		t.Fatal(err)
	}
	n = start(t, engine.Config{Signer: signer, Sink: sink, MaxReceipts: 2, Resume: logblock.Head{Height: 2, Hash: hash}})
	appendAll(t, n, receipts[4:])
	closeNotary(t, n)
	verify(t, signer.PublicKey(), sink.taken(), receipts)
}

// Eight producers, blocks cut by count, window, bytes and hand, a sink that fails half the time in both ways: every accepted receipt is in one block, in its
// producer's order, and Append's answer says where.
func TestManyProducers(t *testing.T) {
	const producers, each, most = 8, 150, 24
	random := rand.New(rand.NewPCG(1, 2))
	sink := &shelf{fail: func(int, *logblock.LogBlock) (error, bool) {
		switch random.IntN(4) {
		case 0:
			return errors.New("failed and lost"), false
		case 1:
			return errors.New("failed but done"), true
		}
		return nil, true
	}}
	synctest.Test(t, func(t *testing.T) {
		signer := newSigner(t)
		n := start(t, engine.Config{
			Signer: signer, Sink: sink, MaxReceipts: most, MaxPending: 3 * most,
			MaxWindow: 20 * time.Millisecond, MaxPendingBytes: engine.MinMaxPendingBytes,
		})
		order := make([]*receipt.Receipt, producers*each)
		var wg, seals sync.WaitGroup
		for p := range producers {
			wg.Go(func() { produce(t, n, fmt.Sprint("job-", p), p, each, order) })
		}
		stop := make(chan struct{})
		seals.Go(func() { sealByHand(t, n, stop) })
		wg.Wait()
		close(stop)
		seals.Wait()
		closeNotary(t, n)
		verify(t, signer.PublicKey(), sink.taken(), order)
		inOrder(t, order)
		reasons := cutReasons(t, sink.taken(), order, most)
		for _, reason := range []string{"count", "bytes", "window or hand"} {
			if reasons[reason] == 0 {
				t.Errorf("no block was cut by %s: %v", reason, reasons)
			}
		}
	})
}

// cutReasons counts why blocks ended where they did.
func cutReasons(t *testing.T, blocks []*logblock.LogBlock, order []*receipt.Receipt, most uint32) map[string]int {
	t.Helper()
	reasons := map[string]int{}
	next := 0
	for _, b := range blocks {
		size := 0
		for range b.Count {
			enc, err := order[next].AppendCanonical(nil)
			if err != nil {
				t.Fatal(err)
			}
			size += len(enc)
			next++
		}
		switch {
		case b.Count == most:
			reasons["count"]++
		case size >= engine.MinMaxPendingBytes/4:
			reasons["bytes"]++
		default:
			reasons["window or hand"]++
		}
	}
	return reasons
}

// sealByHand calls Seal now and then until stop is closed.
func sealByHand(t *testing.T, n *engine.Notary, stop <-chan struct{}) {
	tick := time.NewTicker(7 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-stop:
			return
		}
		if _, err := n.Seal(background); err != nil && !errors.Is(err, engine.ErrEmpty) {
			t.Errorf("Seal: %v", err)
		}
	}
}

// produce appends each receipts, some of them large, in one of three ways and notes them in order by sequence number.
func produce(t *testing.T, n *engine.Notary, container string, way, each int, order []*receipt.Receipt) {
	for i := 0; i < each; {
		size := 1
		if way%3 == 2 {
			size = min(each-i, 1+(i*7)%100) // also more than the queue holds
		}
		batch := make([]*receipt.Receipt, size)
		for j := range batch {
			batch[j] = plain(container, i+j)
			if (i+j)%50 < 25 {
				batch[j].Labels = []receipt.Label{{Key: "large", Value: strings.Repeat("v", 60_000)}}
			}
		}
		var first engine.Seq
		var err error
		switch way % 3 {
		case 0:
			first, err = n.Append(background, batch[0])
		case 1:
			if first, err = n.TryAppend(batch[0]); errors.Is(err, engine.ErrBacklog) {
				time.Sleep(time.Millisecond)
				continue
			}
		case 2:
			var taken int
			if first, taken, err = n.AppendBatch(background, batch); taken != size {
				t.Errorf("AppendBatch took %d of %d", taken, size)
			}
		}
		if err != nil {
			t.Errorf("%s, receipt %d: %v", container, i, err)
			return
		}
		copy(order[first-1:], batch)
		i += size
	}
}

func inOrder(t *testing.T, order []*receipt.Receipt) {
	t.Helper()
	seen := map[string]uint64{}
	for i, r := range order {
		if r.Resource.CPUms != seen[r.Container] {
			t.Fatalf("sequence number %d: %s's receipt %d, want %d", i+1, r.Container, r.Resource.CPUms, seen[r.Container])
		}
		seen[r.Container]++
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(shelf)
		n := start(t, engine.Config{Sink: sink, MaxReceipts: 3})
		appendAll(t, n, some(8))
		synctest.Wait()
		for seq, want := range map[engine.Seq]engine.Position{1: {Height: 1}, 3: {Height: 1, Index: 2}, 5: {Height: 2, Index: 1}} {
			if got, err := n.Wait(background, seq); err != nil || got != want {
				t.Errorf("Wait(%d): got (%v, %v), want %v", seq, got, err, want)
			}
		}
		short, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		if _, err := n.Wait(short, 8); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait for a pending receipt: got %v, want its context's end", err)
		}
		for _, seq := range []engine.Seq{0, 9, 1 << 63} {
			if _, err := n.Wait(background, seq); err == nil {
				t.Errorf("Wait(%d): no error, though that number was not given out", seq)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if got, err := n.Wait(background, 8); err != nil || got != (engine.Position{Height: 3, Index: 1}) {
				t.Errorf("Wait(8): got (%v, %v), want height 3, index 1", got, err)
			}
		})
		synctest.Wait()
		if _, err := n.Seal(background); err != nil {
			t.Error(err)
		}
		wg.Wait()
		closeNotary(t, n)
	})
}

// unsigned takes no time to sign nothing.
type unsigned struct{ *sign.Signer }

func (unsigned) SignBatch([][32]byte, [][64]byte) error { return nil }

func TestWaitForgets(t *testing.T) {
	n := start(t, engine.Config{Signer: unsigned{newSigner(t)}, Sink: new(shelf), MaxReceipts: 1, Resume: logblock.Head{Height: 77, Hash: [32]byte{1}}})
	r := plain("c", 0)
	for range engine.PositionHistory + 10 {
		if _, err := n.Append(background, r); err != nil {
			t.Fatal(err)
		}
	}
	closeNotary(t, n)
	if _, err := n.Wait(background, 10); !errors.Is(err, engine.ErrForgotten) {
		t.Errorf("Wait(10): got %v, want ErrForgotten", err)
	}
	if got, err := n.Wait(background, 11); err != nil || got.Height != 77+11 {
		t.Errorf("Wait(11): got (%v, %v), want height %d", got, err, 77+11)
	}
	last := engine.Seq(engine.PositionHistory + 10)
	if got, err := n.Wait(background, last); err != nil || got.Height != 77+uint64(last) {
		t.Errorf("Wait(%d): got (%v, %v), want height %d", last, got, err, 77+uint64(last))
	}
}

// Close comes while eight producers append: what was accepted is sealed, the rest refused, nobody waits for ever.
func TestCloseWhileProducersAppend(t *testing.T) {
	const producers, each = 8, 300
	signer, sink := newSigner(t), new(shelf)
	n := start(t, engine.Config{Signer: signer, Sink: sink, MaxReceipts: 4, MaxPending: 8})
	order := make([]*receipt.Receipt, producers*each)
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range each {
				r := plain(fmt.Sprint("job-", p), i)
				seq, err := n.Append(background, r)
				if err != nil {
					if !errors.Is(err, engine.ErrClosed) || seq != 0 {
						t.Errorf("Append: got (%d, %v), want (0, ErrClosed)", seq, err)
					}
					return
				}
				order[seq-1] = r
			}
		})
	}
	if _, err := n.Wait(background, 1); err != nil { // somebody is at work
		t.Log(err) // nobody was yet: the number was not given out
	}
	closeNotary(t, n)
	wg.Wait()
	accepted := 0
	for accepted < len(order) && order[accepted] != nil {
		accepted++
	}
	verify(t, signer.PublicKey(), sink.taken(), order[:accepted])
	inOrder(t, order[:accepted])
}
