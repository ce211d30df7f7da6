// Package engine is the notary: it takes StepReceipts of one app in order, seals them into signed LogBlocks and hands
// these on.
//
//	Append ──► open batch ──cut──► cut batches ──seal: leaves, root, header, signature──► Sink
//	(callers)                                   (one goroutine, in order)
//
// # Order
//
// Receipts are leaves in the order in which Append accepted them, and heights grow by one from Config.Resume, whatever
// the number of producers. A batch is cut, which fixes what its block holds, when MaxReceipts are in it, when its
// oldest receipt has waited MaxWindow by this machine's monotonic clock (a producer's ts decides nothing), when its
// leaves reach a quarter of MaxPendingBytes, or when Seal or Close is called.
//
// # What is promised
//
// This Notary lives in memory. A receipt that Append accepted is in exactly one LogBlock unless the process ends before
// that block was delivered. A Sink's failure loses nothing: the block is kept and offered again, with growing pauses; no
// further block is sealed meanwhile, the queue fills, and Append waits. When the Signer fails, or the Sink for good
// (ErrPermanent), the Notary stops, and Close returns the blocks that were not taken and the leaves in no block. Nothing here keeps a second process,
// or a second run from the same Config.Resume, from signing other blocks at the same heights: one Notary at a time
// holds a key and an app.
//
// # Who does what
//
// Encoding and checking run on the goroutines that call Append. Two goroutines belong to a Notary and end before Close
// returns: one seals and delivers, one watches the window and sleeps unless a receipt is pending.
package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/merkle"
)

// Notary seals the receipts of one app. Its methods may be called by any number of goroutines.
type Notary struct {
	cfg    Config
	legacy logblock.Legacy // nil in encseal-1

	// producers is nil unless CheckStrict. It has a lock of its own; heads move only under mu.
	producers *logblock.Producers

	// mu guards everything down to the blank line.
	mu           sync.Mutex
	work         sync.Cond // signalled when cuts grows, on Close and on failure; the sealing goroutine waits
	open         *batch    // takes receipts; never nil
	cuts         fifo      // cut, not yet sealed, in order
	free         []*batch  // for reuse
	line         []*appender
	next         Seq   // of the next accepted receipt
	pending      int   // receipts in open, in cuts and being sealed
	pendingBytes int64 // bytes of their leaves
	closing      bool
	failure      error // why nothing more is sealed
	armed        bool  // the window goroutine has a timer running, or is about to set it
	past         history
	totals       totals

	// Touched by the sealing goroutine alone, and by shutDown once quit is closed.
	head        logblock.Head
	hashes      []merkle.Hash
	tree        merkle.Builder
	undelivered []*logblock.LogBlock
	unsealed    [][]byte
	stopErr     error // why something is undelivered or unsealed

	delivery     context.Context // ends when delivery is given up
	stopDelivery context.CancelCauseFunc
	arm          chan struct{} // capacity 1: the window goroutine has a batch to watch
	quit         chan struct{} // closed when the sealing goroutine ends
	idle         chan struct{} // closed when the window goroutine ends
	closed       chan struct{} // closed when the first Close is done; outcome is settled then
	outcome      error
}

// totals of what was sealed since New; guarded by Notary.mu.
type totals struct {
	blocks, receipts, leafBytes uint64
	sinkFailures                uint64
	sinkErr                     error
}

// New starts a Notary. The error names the Config field that is wrong.
func New(cfg Config) (*Notary, error) {
	cfg, err := cfg.settled()
	if err != nil {
		return nil, err
	}
	n := &Notary{
		cfg:    cfg,
		legacy: cfg.legacy(),
		open:   new(batch),
		next:   1,
		head:   cfg.Resume,
		arm:    make(chan struct{}, 1),
		quit:   make(chan struct{}),
		idle:   make(chan struct{}),
		closed: make(chan struct{}),
	}
	if cfg.Check == CheckStrict {
		if n.producers, err = logblock.NewProducers(cfg.Producers, n.legacy); err != nil {
			return nil, fmt.Errorf("engine: Config.Producers: %w", err)
		}
	}
	n.cfg.Producers = nil // the caller's slice
	n.past.height = cfg.Resume.Height
	n.work.L = &n.mu
	n.delivery, n.stopDelivery = context.WithCancelCause(context.Background())
	go n.run()
	go n.watchWindow()
	return n, nil
}

// stopped tells why nothing is accepted any more, nil while receipts are.
func (n *Notary) stopped() error {
	if n.failure != nil {
		return n.failure
	}
	if n.closing {
		return ErrClosed
	}
	return nil
}

// cut closes the open batch and hands it to the sealing goroutine. The open batch is not empty.
func (n *Notary) cut() {
	n.cuts.push(n.open)
	if last := len(n.free) - 1; last >= 0 {
		n.open, n.free = n.free[last], n.free[:last]
	} else {
		n.open = new(batch)
	}
	n.work.Signal()
}

// Seal cuts what is pending into a LogBlock now and returns it once it is signed; delivery to the Sink follows. It
// returns ErrEmpty when nothing waits to be cut. When ctx ends first the block is sealed all the same.
func (n *Notary) Seal(ctx context.Context) (*logblock.LogBlock, error) {
	n.mu.Lock()
	if err := n.stopped(); err != nil {
		n.mu.Unlock()
		return nil, err
	}
	if n.open.len() == 0 {
		n.mu.Unlock()
		return nil, ErrEmpty
	}
	s := n.open.watch()
	n.cut()
	n.mu.Unlock()
	return s.wait(ctx)
}

// Close takes no more receipts, seals what is pending and delivers until ctx ends. What could not be delivered or sealed is
// in the *UndeliveredError that it returns. It returns when the Sink's last Deliver has: a Sink that does not heed its
// context holds Close up. Further calls wait for the first, as long as their own ctx lasts, and return the same.
func (n *Notary) Close(ctx context.Context) error {
	n.mu.Lock()
	first := !n.closing
	if first {
		n.closing = true
		if n.open.len() > 0 && n.failure == nil {
			n.cut()
		}
		n.callAll()
		n.work.Signal()
	}
	n.mu.Unlock()
	if first {
		n.shutDown(ctx)
	}
	select {
	case <-n.closed:
		return n.outcome
	case <-ctx.Done():
	}
	// Both may be true by now.
	select {
	case <-n.closed:
		return n.outcome
	default:
		return ctx.Err()
	}
}

// shutDown is the first Close's: it waits for the goroutines and settles the outcome.
func (n *Notary) shutDown(ctx context.Context) {
	select {
	case <-n.quit:
	case <-ctx.Done():
		n.stopDelivery(ctx.Err())
		<-n.quit
	}
	<-n.idle
	n.stopDelivery(ErrClosed)
	if len(n.undelivered) > 0 || len(n.unsealed) > 0 {
		n.outcome = &UndeliveredError{Blocks: n.undelivered, Leaves: n.unsealed, Err: n.stopErr}
	}
	close(n.closed)
}

func (n *Notary) callAll() {
	for _, w := range n.line {
		w.call()
	}
}

// Producers returns where each producer's chain stands now: given to Config.Producers, it continues them. It is nil
// without CheckStrict.
func (n *Notary) Producers() []logblock.ProducerKey {
	if n.producers == nil {
		return nil
	}
	return n.producers.Keys()
}

// Stats is a moment's view of a Notary.
type Stats struct {
	App             string
	Scheme          string
	Height          uint64 // of the last sealed block; Config.Resume.Height before the first
	Pending         int    // receipts accepted and not yet sealed
	PendingBytes    int64  // bytes of their leaves
	OldestPending   time.Duration
	MaxReceipts     int
	MaxWindow       time.Duration
	MaxPending      int
	MaxPendingBytes int64
	SealedBlocks    uint64 // since New, as all totals
	SealedReceipts  uint64
	SealedBytes     uint64 // bytes of the leaves
	SinkFailures    uint64 // attempts to deliver that failed
	SinkErr         error  // of the block that is being offered; nil when the last attempt succeeded
}

// Stats returns the Notary's state now.
func (n *Notary) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := Stats{
		App: n.cfg.App, Scheme: n.cfg.Scheme, Height: n.past.height,
		Pending: n.pending, PendingBytes: n.pendingBytes,
		MaxReceipts: n.cfg.MaxReceipts, MaxWindow: n.cfg.MaxWindow,
		MaxPending: n.cfg.MaxPending, MaxPendingBytes: n.cfg.MaxPendingBytes,
		SealedBlocks: n.totals.blocks, SealedReceipts: n.totals.receipts, SealedBytes: n.totals.leafBytes,
		SinkFailures: n.totals.sinkFailures, SinkErr: n.totals.sinkErr,
	}
	if born, ok := n.oldest(); ok {
		s.OldestPending = time.Since(born)
	}
	return s
}

// oldest returns when the oldest pending receipt was accepted.
func (n *Notary) oldest() (time.Time, bool) {
	if n.cuts.len() > 0 {
		return n.cuts.first().born, true
	}
	return n.open.born, n.open.len() > 0
}
