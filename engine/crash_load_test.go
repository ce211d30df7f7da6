package engine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// producers of a load, each with a chain of its own.
const producers = 3

// loadKey is the notary's, in every process of a load.
func loadKey() *sign.Signer { return sign.NewSigner(&[32]byte{1, 2, 3}) }

// newLoad is a client of one app, "load", whose receipts are all made before any is sent: each producer's count of them
// follow each other, as one call, so that check holds each producer's order.
func newLoad(t *testing.T, count int) *client {
	t.Helper()
	c := newClient(loadKey(), false)
	c.cfg.Check, c.cfg.DedupWindow = engine.CheckStrict, 2*producers*count
	for i := range producers {
		p := newProducer(fmt.Sprint("load", i))
		c.cfg.Producers = append(c.cfg.Producers, p.public())
		for range count {
			r := plain(p.name, p.made)
			r.App, r.PrevHash = "load", p.prev
			if err := r.Sign(p.key); err != nil {
				t.Fatal(err)
			}
			p.prev = r.Hash
			p.made++
			c.sent["load"] = append(c.sent["load"], sent{receipt: r, call: i})
		}
	}
	return c
}

// loadConfig is the Engine's, in the process that crashes.
func loadConfig(receipts int, sink engine.Sink) engine.Config {
	cfg := engine.Config{
		Signer: loadKey(), MaxReceipts: 16, Check: engine.CheckStrict, DedupWindow: 2 * receipts,
		Sinks: []engine.NamedSink{{Name: "client", Sink: sink}},
	}
	for i := range producers {
		cfg.Producers = append(cfg.Producers, newProducer(fmt.Sprint("load", i)).public())
	}
	return cfg
}

// runLoad has every producer send its receipts from the one of a number on, each call as soon as the one before is
// acknowledged. It tells report, from several goroutines, of calls that are durable. It returns when all are, or at the
// first error.
func runLoad(ctx context.Context, e *engine.Engine, chains [][]*receipt.Receipt, from []int, rng *rand.Rand, report func(p, i int, taken []engine.Taken)) error {
	n, err := e.Notary("load")
	if err != nil {
		return err
	}
	errs := make([]error, len(chains))
	var wg sync.WaitGroup
	for p := range chains {
		most := 1 + rng.IntN(20)
		wg.Go(func() {
			for i := from[p]; i < len(chains[p]) && errs[p] == nil; i += most {
				part := chains[p][i:min(i+most, len(chains[p]))]
				taken := make([]engine.Taken, len(part))
				if _, errs[p] = n.AppendEach(ctx, part, taken); errs[p] != nil {
					return
				}
				last := taken[len(taken)-1].Seq
				if errs[p] = n.WaitDurable(ctx, last); errs[p] == nil {
					report(p, i, taken)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// acknowledged notes that a receipt is durable, as a number.
func (c *client) acknowledged(k int, seq engine.Seq) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.sent["load"][k]
	if s.durable && s.seq != seq {
		c.strange = append(c.strange, fmt.Errorf("receipt %d was acknowledged as %d and as %d", k, s.seq, seq))
	}
	s.seq, s.durable = seq, true
}

// starts returns where each producer goes on: at its first receipt that was not acknowledged, or up to many before.
func (c *client) starts(rng *rand.Rand, many int) []int {
	all := c.sent["load"]
	count := len(all) / producers
	from := make([]int, producers)
	for p := range from {
		i := 0
		for i < count && all[p*count+i].durable {
			i++
		}
		from[p] = max(0, i-rng.IntN(many))
	}
	return from
}

// chains are the receipts of each producer.
func (c *client) chains() [][]*receipt.Receipt {
	all := c.sent["load"]
	count := len(all) / producers
	chains := make([][]*receipt.Receipt, producers)
	for i := range all {
		chains[i/count] = append(chains[i/count], all[i].receipt)
	}
	return chains
}

// appendChains writes chains for another process: counts, and each leaf behind its length.
func appendChains(dst []byte, chains [][]*receipt.Receipt) ([]byte, error) {
	for _, chain := range chains {
		dst = binary.AppendUvarint(dst, uint64(len(chain)))
		for _, r := range chain {
			leaf, err := r.AppendCanonical(nil)
			if err != nil {
				return nil, err
			}
			dst = append(binary.AppendUvarint(dst, uint64(len(leaf))), leaf...)
		}
	}
	return dst, nil
}

// readChains reads what appendChains wrote; the receipts share its memory.
func readChains(b []byte) (chains [][]*receipt.Receipt, err error) {
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		b = b[max(0, n):]
		return v
	}
	for range producers {
		var chain []*receipt.Receipt
		for range number() {
			size := number()
			r := new(receipt.Receipt)
			if err := receipt.Decode(b[:size], r); err != nil {
				return nil, err
			}
			b = b[size:]
			chain = append(chain, r)
		}
		chains = append(chains, chain)
	}
	return chains, nil
}

// Power cuts under load, in memory: an Engine goes from crash to crash, its producers from where they were answered.
func TestCrashUnderLoad(t *testing.T) {
	seed := seed(t)
	lives, count := thin(60), 250
	if long() {
		lives = 2000
	}
	parallel(t, lives, func(life int) error {
		rng := rand.New(rand.NewPCG(seed, uint64(life)))
		c, d := newLoad(t, count), newDisks(rng.IntN(2) == 0)
		for generation := range 6 {
			var err error
			if d, err = loadAndCrash(c, d, rng); err != nil {
				return fmt.Errorf("life %d, generation %d: %w", life, generation, err)
			}
		}
		return wrap(c.check(d.store()), "life %d", life)
	})
}

// loadAndCrash cuts the power somewhere, and returns what is left.
func loadAndCrash(c *client, d disks, rng *rand.Rand) (disks, error) {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	left, at, luck := 1+rng.IntN(150), new(disks), rand.New(rand.NewPCG(rng.Uint64(), 1))
	data := journaltest.NewFaults(d.data)
	data.Before = func(int, string, string) {
		if left--; left == 0 {
			*at = d.crash(luck)
			cancel() // a journal that cannot make a segment waits for space, for ever
		}
	}
	cfg := loadConfig(len(c.sent["load"]), c)
	cfg.Store = engine.Store{FS: data, Head: "head", HeadFS: d.head, SegmentSize: smallSegments}
	e, err := engine.Open(cfg)
	if err == nil {
		closed := make(chan error, 1)
		done, finish := context.WithCancel(ctx)
		go func() {
			<-done.Done() // of the load, or of all
			closed <- e.Close(ctx)
		}()
		err = runLoad(ctx, e, c.chains(), c.starts(rng, 20), rng, func(p, i int, taken []engine.Taken) {
			for k := range taken {
				c.acknowledged(p*len(c.sent["load"])/producers+i+k, taken[k].Seq)
			}
		})
		finish()
		if closeErr := <-closed; err == nil {
			err = closeErr
		}
	}
	closing := errors.Is(err, context.Canceled) || errors.Is(err, engine.ErrClosed) || errors.Is(err, journal.ErrClosed)
	if err := c.explain("load", err); err != nil && !(ctx.Err() != nil && closing) {
		return d, err
	}
	if at.data == nil { // all was done before
		*at = d.crash(rng)
	}
	return *at, c.trouble()
}
