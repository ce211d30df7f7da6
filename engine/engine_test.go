package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// batches notes the size of each batch that it signs.
type batches struct {
	*sign.Signer
	mu    sync.Mutex
	sizes []int
}

func (b *batches) SignBatch(digests [][32]byte, sigs [][64]byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sizes = append(b.sizes, len(digests))
	return b.Signer.SignBatch(digests, sigs)
}

func openEngine(t *testing.T, cfg engine.Config) *engine.Engine {
	t.Helper()
	if cfg.Signer == nil {
		cfg.Signer = newSigner(t)
	}
	e, err := engine.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func notary(t *testing.T, e *engine.Engine, app string) *engine.Notary {
	t.Helper()
	n, err := e.Notary(app)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// of returns count receipts of app.
func of(app string, count int) []*receipt.Receipt {
	all := some(count)
	for _, r := range all {
		r.App = app
	}
	return all
}

// What waits for a signature is signed as one batch, whatever its app and height, and each app's chain holds by itself.
func TestAppsAreSignedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer := &batches{Signer: newSigner(t)}
		blocks := make(chan *logblock.LogBlock)
		e := openEngine(t, engine.Config{Signer: signer, Sink: chanSink(blocks), MaxReceipts: 2})
		apps := []string{"a", "b", "c"}
		receipts := make(map[string][]*receipt.Receipt)
		appendTo := func(app string, count int) {
			for _, r := range of(app, count) {
				if _, err := notary(t, e, app).Append(background, r); err != nil {
					t.Fatal(err)
				}
				receipts[app] = append(receipts[app], r)
			}
		}
		appendTo("a", 2)
		synctest.Wait() // this block is alone, signed at once, and waits for its receiver
		for _, app := range apps {
			appendTo(app, 4)
		}
		synctest.Wait()
		got := make(map[string][]*logblock.LogBlock)
		for range 7 {
			b := <-blocks
			got[b.App] = append(got[b.App], b)
		}
		if err := e.Close(background); err != nil {
			t.Fatal(err)
		}
		if want := []int{1, 6}; !slices.Equal(signer.sizes, want) {
			t.Errorf("signed batches of %v, want %v", signer.sizes, want)
		}
		for _, app := range apps {
			verify(t, signer.PublicKey(), got[app], receipts[app])
		}
		if names := e.Apps(); !slices.Equal(names, apps) {
			t.Errorf("Apps: got %q, want %q", names, apps)
		}
	})
}

// A signer that fails ends every app; all that was accepted is in Close's error.
func TestSignerFailsForAllApps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := openEngine(t, engine.Config{
			Signer: &faulty{Signer: newSigner(t)}, Sink: new(shelf), MaxReceipts: 2,
		})
		idle := notary(t, e, "b")
		if _, err := idle.Append(background, of("b", 1)[0]); err != nil {
			t.Fatal(err)
		}
		for _, r := range of("a", 3) {
			if _, err := notary(t, e, "a").Append(background, r); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if _, err := idle.Append(background, of("b", 1)[0]); !errors.Is(err, errSigner) {
			t.Errorf("Append to another app: got %v, want the signer's error", err)
		}
		if _, err := e.Notary("c"); !errors.Is(err, errSigner) {
			t.Errorf("Notary of a new app: got %v, want the signer's error", err)
		}
		var left *engine.UndeliveredError
		if err := e.Close(background); !errors.As(err, &left) || len(left.Leaves) != 4 || len(left.Blocks) != 0 {
			t.Errorf("Close: got %v, want 4 receipts not sealed", err)
		}
	})
}

func TestEngineLimits(t *testing.T) {
	e := openEngine(t, engine.Config{Sink: new(shelf), MaxApps: 2})
	first := notary(t, e, "a")
	notary(t, e, "b")
	if again := notary(t, e, "a"); again != first {
		t.Error("a second Notary of one app is another one")
	}
	if _, err := e.Notary("c"); !errors.Is(err, engine.ErrTooManyApps) {
		t.Errorf("third app of two: got %v, want ErrTooManyApps", err)
	}
	if _, err := e.Notary(""); err == nil || errors.Is(err, engine.ErrTooManyApps) {
		t.Errorf("app without a name: got %v, want an error of its own", err)
	}
	if err := first.Close(background); err == nil {
		t.Error("Close of one app's Notary: got nil, want an error: its Engine is closed instead")
	}
	if _, err := first.Append(background, of("b", 1)[0]); err == nil {
		t.Error("a receipt of another app was taken")
	}
	if err := e.Close(background); err != nil {
		t.Error(err)
	}
	if _, err := e.Notary("d"); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("Notary after Close: got %v, want ErrClosed", err)
	}
	if _, err := first.Append(background, of("a", 1)[0]); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("Append after Close: got %v, want ErrClosed", err)
	}
}

// Apps come while others are sealed and the Engine closes: what was accepted is in a block.
func TestEngineUnderLoad(t *testing.T) {
	const apps, each = 20, 300
	signer, shelf := newSigner(t), new(shelf)
	e := openEngine(t, engine.Config{Signer: signer, Sink: shelf, MaxReceipts: 7, MaxPending: 21, MaxWindow: time.Millisecond})
	accepted := make([][]*receipt.Receipt, apps)
	var wg sync.WaitGroup
	for i := range apps {
		wg.Go(func() {
			app := fmt.Sprintf("app-%d", i)
			n, err := e.Notary(app)
			if err != nil {
				t.Error(err)
				return
			}
			for _, r := range of(app, each) {
				if _, err := n.Append(background, r); err != nil {
					t.Error(err)
					return
				}
				accepted[i] = append(accepted[i], r)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
	chains := make(map[string][]*logblock.LogBlock)
	for _, b := range shelf.taken() {
		chains[b.App] = append(chains[b.App], b)
	}
	for i := range apps {
		app := fmt.Sprintf("app-%d", i)
		verify(t, signer.PublicKey(), chains[app], accepted[i])
	}
}
