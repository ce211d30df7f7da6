package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
)

// Notary seals the receipts of one app. Its methods may be called by any number of goroutines.
type Notary struct {
	eng *Engine
	cfg *Config // eng's
	app string
	own bool // the Engine is this Notary's alone, made by New

	// producers is nil unless CheckStrict. It has a lock of its own; heads move only under mu.
	producers *logblock.Producers

	// mu guards everything down to the blank line.
	mu           sync.Mutex
	open         *batch // takes receipts; never nil
	cuts         fifo   // cut, not yet sealed, in order
	line         []*appender
	next         Seq   // of the next accepted receipt
	pending      int   // receipts in open and in cuts
	pendingBytes int64 // bytes of their leaves
	closing      bool
	failure      error // why nothing more is sealed
	armed        bool  // the window goroutine has a timer running, or is about to set it
	past         history
	totals       totals

	window *window // of hashes of receipts taken; nil without DedupWindow

	// With a Store, guarded by mu too:
	id    uint64 // app's number in the journal; never changed
	rec   []byte // scratch
	dirty bool   // in store.dirty
	// with DedupWindow and pruning: where leaves lie, sparse, from the window's first on
	windowFrames []leafFrame
	pushes       pushes
	durable      Seq         // last receipt known to be durable, as of the last look
	behind       atomic.Bool // the journal came for leaves while mu was held; see unlock

	// frames guards the order of the app's frames, and what a State says of those before it, down to the blank line. It is
	// taken after mu by who needs both, and alone by the stages of sealing, which so never wait for callers of Append.
	frames       sync.Mutex
	stateAt      journal.Offset
	stateSegment uint64        // of the last State, or of App
	pushedSeq    Seq           // next leaf to come
	headsSeq     Seq           // CheckStrict: the producers' heads are those before this receipt
	cutSeq       Seq           // first leaf in no cut
	cutHead      logblock.Head // last cut
	cutNumber    uint64        // and its number

	head logblock.Head // of the last hashed block; touched by the sealing goroutine alone

	arm  chan struct{} // capacity 1: the window goroutine has a batch to watch
	idle chan struct{} // closed when the window goroutine ends
}

// totals of what was sealed since the Notary was made; guarded by Notary.mu.
type totals struct {
	blocks, receipts, leafBytes uint64
}

// New starts a Notary of cfg.App by itself, with an Engine that is its own. The error names the Config field that is wrong.
func New(cfg Config) (*Notary, error) {
	if err := logblock.CheckApp(cfg.App); err != nil {
		var field *logblock.FieldError
		errors.As(err, &field)
		return nil, fmt.Errorf("engine: Config.App: %s", field.Reason)
	}
	cfg, err := cfg.settled()
	if err != nil {
		return nil, err
	}
	e, err := open(cfg)
	if err != nil {
		return nil, err
	}
	n, err := e.notary(cfg.App, cfg.Resume)
	if err != nil {
		_ = e.Close(context.Background()) // it has nothing to seal
		return nil, err
	}
	n.own = true
	return n, nil
}

// App returns the name of the app whose receipts this Notary seals.
func (n *Notary) App() string { return n.app }

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

// cut closes the open batch and hands it on to be sealed. The open batch is not empty.
func (n *Notary) cut() {
	if n.eng.store != nil {
		// A journal that fails ends the Engine by itself.
		_ = n.push()
		n.eng.store.j.Kick()
	}
	n.cuts.push(n.open)
	n.open = n.eng.submit(n.open)
}

// Seal cuts what is pending into a LogBlock now and returns it once it is signed; delivery to the Sink follows. It
// returns ErrEmpty when nothing waits to be cut. When ctx ends first the block is sealed all the same.
func (n *Notary) Seal(ctx context.Context) (*logblock.LogBlock, error) {
	n.mu.Lock()
	if err := n.stopped(); err != nil {
		n.unlock()
		return nil, err
	}
	if n.open.len() == 0 {
		n.unlock()
		return nil, ErrEmpty
	}
	s := n.open.watch()
	n.cut()
	n.unlock()
	return s.wait(ctx)
}

// Close is Engine.Close for a Notary that New made. One of several apps is closed with its Engine: for it Close is an error.
func (n *Notary) Close(ctx context.Context) error {
	if !n.own {
		return fmt.Errorf("engine: the Notary of %q belongs to an Engine: close that", n.app)
	}
	return n.eng.Close(ctx)
}

// close takes no more receipts and cuts what is open.
func (n *Notary) close() {
	n.mu.Lock()
	defer n.unlock()
	n.closing = true
	if n.open.len() > 0 && n.failure == nil {
		n.cut()
	}
	n.callAll()
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
	Accepted        Seq    // of the last receipt; with a Store, runs before this one are counted
	Durable         Seq    // of the last receipt that is known to be durable; 0 in memory
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
	SinkFailures    uint64 // attempts to deliver that failed, over all apps of the Engine
	SinkErr         error  // of the block that is being offered; nil when the last attempt succeeded
}

// Stats returns the Notary's state now.
func (n *Notary) Stats() Stats {
	n.eng.mu.Lock()
	sink := n.eng.sink
	n.eng.mu.Unlock()
	n.mu.Lock()
	defer n.unlock()
	if n.eng.store != nil {
		n.settleDurable()
	}
	s := Stats{
		App: n.app, Scheme: n.cfg.Scheme, Height: n.past.height, Accepted: n.next - 1, Durable: n.durable,
		Pending: n.pending, PendingBytes: n.pendingBytes,
		MaxReceipts: n.cfg.MaxReceipts, MaxWindow: n.cfg.MaxWindow,
		MaxPending: n.cfg.MaxPending, MaxPendingBytes: n.cfg.MaxPendingBytes,
		SealedBlocks: n.totals.blocks, SealedReceipts: n.totals.receipts, SealedBytes: n.totals.leafBytes,
		SinkFailures: sink.failures, SinkErr: sink.err,
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
