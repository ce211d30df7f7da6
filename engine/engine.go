package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/encseal/encseal/engine/lanes"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/merkle"
)

// Engine seals the receipts of many apps, each through a Notary of its own, with one key, and one journal or none. Its methods may be
// called by any number of goroutines.
type Engine struct {
	cfg    Config
	legacy logblock.Legacy // nil in encseal-1
	key    sign.PublicKey  // of cfg.Signer

	// mu guards everything down to the blank line. It may be taken by who holds a Notary's mu, never the other way round.
	mu       sync.Mutex
	work     sync.Cond // signalled when queue grows, on Close and on failure; the sealing goroutine waits
	queue    fifo      // cut batches of all apps, not yet taken for sealing, in the order they were cut
	free     []*batch  // for reuse
	kept     int64     // bytes of their arenas
	apps     map[string]*Notary
	byID     []*Notary // with a Store: in the order of their numbers
	closing  bool
	drained  bool  // closing, and every app's last batch is in queue
	failure  error // why nothing more is sealed
	sink     sinkState
	pruneErr error // why the last pruning failed, nil when it did not

	// Touched by the sealing goroutine alone, and by shutDown once quit is closed.
	arenas      []lanes.Arena // of the group's batches, as what follows
	hashes      []merkle.Hash
	ends        []int // in hashes, of each batch
	roots       []merkle.Hash
	tree        merkle.Builder
	undelivered []*logblock.LogBlock
	unsealed    [][]byte
	stopErr     error // why something is undelivered or unsealed

	store      *store // nil in memory; set before anything runs
	feed       *feed
	outlets    []*outlet
	delivering sync.WaitGroup // the outlets' goroutines
	retainer   sync.WaitGroup // the retaining goroutine

	delivery     context.Context // ends when delivery is given up
	stopDelivery context.CancelCauseFunc
	quit         chan struct{} // closed when the sealing goroutine ends
	closed       chan struct{} // closed when the first Close is done; outcome is settled then
	outcome      error
}

// Open starts an Engine. cfg.App and cfg.Resume are a single Notary's (see New) and must be zero; the rest holds for every
// app. The error names the Config field that is wrong.
func Open(cfg Config) (*Engine, error) {
	if cfg.App != "" {
		return nil, errors.New("engine: Config.App: given, but an Engine's apps are named to Engine.Notary")
	}
	if cfg.Resume != (logblock.Head{}) {
		return nil, errors.New("engine: Config.Resume: given, but it continues one app's chain, and an Engine has many")
	}
	cfg, err := cfg.settled()
	if err != nil {
		return nil, err
	}
	if cfg.Check == CheckStrict {
		if _, err := logblock.NewProducers(cfg.Producers, cfg.legacy()); err != nil {
			return nil, fmt.Errorf("engine: Config.Producers: %w", err)
		}
	}
	return open(cfg)
}

// open starts an Engine of a Config that was checked.
func open(cfg Config) (*Engine, error) {
	e := &Engine{
		cfg:    cfg,
		legacy: cfg.legacy(),
		key:    cfg.Signer.PublicKey(),
		apps:   make(map[string]*Notary),
		quit:   make(chan struct{}),
		closed: make(chan struct{}),
	}
	e.work.L = &e.mu
	e.delivery, e.stopDelivery = context.WithCancelCause(context.Background())
	if !cfg.Store.durable() {
		go e.run()
		return e, nil
	}
	if err := e.openStore(); err != nil {
		close(e.quit) // of the window goroutines
		for _, n := range e.notaries() {
			<-n.idle
		}
		return nil, err
	}
	go e.runDurable()
	return e, nil
}

// Notary returns the Notary of app, which starts at height 1 the first time. It is an error where app is no app's name, the
// Engine is closed, or has Config.MaxApps already.
func (e *Engine) Notary(app string) (*Notary, error) {
	return e.notary(app, logblock.Head{})
}

// notary is Notary for a chain that goes on after head where the app is new.
func (e *Engine) notary(app string, head logblock.Head) (*Notary, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n, ok := e.apps[app]; ok {
		return n, nil
	}
	if err := logblock.CheckApp(app); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if err := e.stopped(); err != nil {
		return nil, err
	}
	if len(e.apps) >= e.cfg.MaxApps {
		return nil, fmt.Errorf("%w: %d apps", ErrTooManyApps, len(e.apps))
	}
	return e.add(app, head)
}

// add makes the Notary of a new app, whose chain goes on after head. e.mu is held, or e is not shared yet.
func (e *Engine) add(app string, head logblock.Head) (*Notary, error) {
	n, err := e.make(app, head)
	if err != nil {
		return nil, err
	}
	if e.store == nil {
		e.start(n)
		return n, nil
	}
	if e.store.full() { // the journal would wait for room, and who seals waits for e.mu
		return nil, ErrFull
	}
	n.id = uint64(len(e.byID)) + 1
	named := ledger.App{ID: n.id, Scheme: e.cfg.Scheme, Name: app}
	at, _, err := e.store.j.Append(ledger.TypeApp, ledger.AppendApp(nil, &named))
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	n.stateSegment = e.store.j.Segment(at)
	e.byID = append(e.byID, n)
	e.start(n)
	return n, nil
}

// make makes a Notary, which start is to follow.
func (e *Engine) make(app string, head logblock.Head) (*Notary, error) {
	n := &Notary{
		eng:    e,
		cfg:    &e.cfg,
		app:    app,
		open:   new(batch),
		next:   1,
		cutSeq: 1, pushedSeq: 1,
		head: head,
		arm:  make(chan struct{}, 1),
		idle: make(chan struct{}),
	}
	n.open.notary = n
	n.past.height = head.Height
	if e.cfg.Check == CheckStrict {
		var err error
		if n.producers, err = logblock.NewProducers(e.cfg.Producers, e.legacy); err != nil {
			return nil, fmt.Errorf("engine: Config.Producers: %w", err)
		}
	}
	if e.cfg.DedupWindow > 0 {
		n.window = newWindow(e.cfg.DedupWindow)
	}
	return n, nil
}

// start makes n one of the apps. An Engine that takes no receipts, as Adopt's, has no quit, and watches no window.
func (e *Engine) start(n *Notary) {
	e.apps[n.app] = n
	if e.quit != nil {
		go n.watchWindow()
	}
}

// Apps returns the names of the apps that have a Notary, sorted.
func (e *Engine) Apps() []string {
	var names []string
	for _, n := range e.notaries() {
		names = append(names, n.app)
	}
	slices.Sort(names)
	return names
}

// notaries returns the Notaries there are.
func (e *Engine) notaries() []*Notary {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*Notary, 0, len(e.apps))
	for _, n := range e.apps {
		all = append(all, n)
	}
	return all
}

// stopped tells why nothing is accepted any more, nil while receipts are. e.mu is held.
func (e *Engine) stopped() error {
	if e.failure != nil {
		return e.failure
	}
	if e.closing {
		return ErrClosed
	}
	return nil
}

// submit hands a cut batch to the sealing goroutine and returns an empty one. The caller holds the batch's Notary's mu.
func (e *Engine) submit(b *batch) *batch {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue.push(b)
	e.work.Signal()
	fresh := e.spare(cap(b.arena))
	fresh.notary = b.notary
	return fresh
}

// spare returns an empty batch: a used one, or one with room for as much as the last one had. e.mu is held.
func (e *Engine) spare(room int) *batch {
	last := len(e.free) - 1
	if last < 0 {
		return &batch{arena: make([]byte, 0, min(room, maxKeptArena))}
	}
	b := e.free[last]
	e.free[last] = nil
	e.free = e.free[:last]
	e.kept -= int64(cap(b.arena))
	return b
}

// reuse takes batches back that nobody needs any more.
func (e *Engine) reuse(blocks []sealed) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range blocks {
		b := blocks[i].batch
		if room := int64(cap(b.arena)); b.reset() && e.kept+room <= maxKept {
			e.kept += room
			e.free = append(e.free, b)
		}
	}
}

// Close takes no more receipts, seals what is pending and delivers until ctx ends. With a Store, what was not sealed or
// delivered then waits for the next Open, and an error says why sealing did not end, or the journal could not be closed; what
// is said of undelivered blocks is about an Engine in memory. What could not be delivered or sealed is
// in the *UndeliveredError that it returns. It returns when the Sink's last Deliver has: a Sink that does not heed its
// context holds Close up. Further calls wait for the first, as long as their own ctx lasts, and return the same.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	first := !e.closing
	e.closing = true // no Notary is added from here on
	e.mu.Unlock()
	if first {
		e.shutDown(ctx)
	}
	select {
	case <-e.closed:
		return e.outcome
	case <-ctx.Done():
	}
	// Both may be true by now.
	select {
	case <-e.closed:
		return e.outcome
	default:
		return ctx.Err()
	}
}

// shutDown is the first Close's: it cuts what is open, waits for the goroutines and settles the outcome.
func (e *Engine) shutDown(ctx context.Context) {
	var watch sync.WaitGroup
	if e.store != nil {
		watch.Go(func() { e.watchFull(ctx) })
	}
	notaries := e.notaries()
	for _, n := range notaries {
		n.close()
	}
	e.mu.Lock()
	e.drained = true
	e.work.Signal()
	e.mu.Unlock()
	select {
	case <-e.quit:
	case <-ctx.Done():
		e.stopDelivery(ctx.Err())
		<-e.quit
	}
	watch.Wait()
	if e.store != nil {
		e.outcome = e.closeStore(ctx)
	}
	for _, n := range notaries {
		<-n.idle
	}
	e.stopDelivery(ErrClosed)
	if len(e.undelivered) > 0 || len(e.unsealed) > 0 {
		e.outcome = &UndeliveredError{Blocks: e.undelivered, Leaves: e.unsealed, Err: e.stopErr}
	}
	close(e.closed)
}
