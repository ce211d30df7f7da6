package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/receipt"
)

// outputName is the sink under whose name a data directory remembers what was printed.
const outputName = "output"

// journaled is the part of a run that has a data directory.
type journaled struct {
	engine   *engine.Engine
	notaries map[string]*engine.Notary
	before   map[string]engine.Seq // receipts that each app had when the run began

	duplicates uint64

	delivery context.Context // ends when the output fails for good
	giveUp   context.CancelFunc
}

// openDir opens the data directory. LogBlocks that wait there begin to be printed at once.
func (s *sealing) openDir() error {
	cfg := s.config
	cfg.App = "" // it is named to each Notary
	cfg.Sinks = []engine.NamedSink{{Name: outputName, Sink: s}}
	cfg.MaxApps = s.cmd.MaxApps
	cfg.DedupWindow = s.cmd.Dedup
	cfg.Store = engine.Store{Dir: s.cmd.Dir, Head: s.cmd.HeadFile, NewHead: s.cmd.NewHead, RetainBytes: s.retain}
	d := &journaled{notaries: make(map[string]*engine.Notary), before: make(map[string]engine.Seq)}
	d.delivery, d.giveUp = context.WithCancel(context.Background())
	s.giveUp = d.giveUp
	var err error
	if d.engine, err = engine.Open(cfg); err != nil {
		d.giveUp()
		return dirError(s.cmd.Dir, s.cmd.HeadFile, err)
	}
	s.dir = d
	return s.describeDir()
}

// manyApps is how many apps are not named one by one any more.
const manyApps = 10

// describeDir says where each chain stands.
func (s *sealing) describeDir() error {
	d := s.dir
	apps := d.engine.Apps()
	var receipts engine.Seq
	pending := 0
	for _, app := range apps {
		n, err := d.notary(app)
		if err != nil {
			return err
		}
		stats := n.Stats()
		d.before[app] = stats.Accepted
		sealed := stats.Accepted - engine.Seq(stats.Pending)
		receipts += sealed
		pending += stats.Pending
		if len(apps) <= manyApps {
			s.con.say("%s: continuing %q after height %d, %d receipts, %d pending", s.cmd.Dir, app, stats.Height, sealed, stats.Pending)
		}
	}
	switch {
	case len(apps) == 0:
		s.con.say("%s: nothing in it yet: each app starts at height 1", s.cmd.Dir)
	case len(apps) > manyApps:
		s.con.say("%s: continuing %d apps, %d receipts, %d pending", s.cmd.Dir, len(apps), receipts, pending)
	}
	return nil
}

// notary returns the Notary of an app. app may be memory of the line that is being read.
func (d *journaled) notary(app string) (*engine.Notary, error) {
	if n, ok := d.notaries[app]; ok {
		return n, nil
	}
	app = strings.Clone(app)
	n, err := d.engine.Notary(app)
	if err == nil {
		d.notaries[app] = n
	}
	return n, err
}

// take hands one receipt to its app's Notary, waiting for space where the disk is full.
func (s *sealing) take(r *receipt.Receipt) error {
	app := r.App
	if s.cmd.App != "" {
		app = s.cmd.App // which refuses the others
	}
	n, err := s.dir.notary(app)
	if errors.Is(err, engine.ErrTooManyApps) {
		return &receipt.FieldError{Field: "app", Reason: "one more than --max-apps"}
	}
	if err != nil {
		return err
	}
	waited := false
	for {
		_, err := n.Append(context.Background(), r)
		if !errors.Is(err, engine.ErrFull) {
			if waited {
				s.con.say("%s: waited for space, going on", s.cmd.Dir)
			}
			if errors.Is(err, engine.ErrDuplicate) {
				s.dir.duplicates++
				return nil
			}
			return err
		}
		if !waited {
			waited = true
			s.con.say("%s: the disk is full; waiting for space. What was taken stays durable, and is sealed", s.cmd.Dir)
		}
		if err := s.rest(); err != nil {
			s.con.say("%s:%d: read and not taken: no space", s.in.name, s.lines.Line())
			return err
		}
	}
}

// spaceEvery is how often it is looked whether a full disk has space again.
const spaceEvery = 500 * time.Millisecond

// rest waits a little, or returns errInterrupted when the reading is to end.
func (s *sealing) rest() error {
	t := time.NewTimer(spaceEvery)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.stop.stop:
		return errInterrupted
	}
}

// closeDir seals what is pending, prints what was not and closes the data directory. An output that failed ends the
// printing, and not the sealing.
func (s *sealing) closeDir() error {
	d := s.dir
	err := d.sealAll()
	if closing := d.engine.Close(d.delivery); closing != nil {
		err = closing
	}
	d.giveUp()
	if err != nil {
		return dirError(s.cmd.Dir, s.cmd.HeadFile, err)
	}
	return s.broken
}

// sealAll cuts what is pending in every app and waits until all of it is sealed.
func (d *journaled) sealAll() error {
	cut, cancel := context.WithCancel(context.Background())
	cancel() // Seal then cuts, and does not wait: all apps' blocks are signed together
	for _, n := range d.notaries {
		_, err := n.Seal(cut)
		if err != nil && !errors.Is(err, engine.ErrEmpty) && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	for _, n := range d.notaries {
		last := n.Stats().Accepted
		if last == 0 {
			continue
		}
		if _, err := n.Wait(context.Background(), last); err != nil && !errors.Is(err, engine.ErrForgotten) {
			return err
		}
	}
	return nil
}

// sumDir says what the run came to, once the data directory is closed.
func (s *sealing) sumDir() {
	if s.dir == nil {
		return
	}
	var taken, durable engine.Seq
	var sealed, blocks uint64
	for app, n := range s.dir.notaries {
		stats := n.Stats()
		before := s.dir.before[app]
		taken += stats.Accepted - before
		durable += max(stats.Durable, before) - before
		sealed += stats.SealedReceipts
		blocks += stats.SealedBlocks
	}
	duplicates := ""
	if s.cmd.Dedup > 0 {
		duplicates = fmt.Sprintf(", %d duplicates", s.dir.duplicates)
	}
	rate := float64(taken) / max(time.Since(s.started).Seconds(), 1e-6)
	s.con.say("%s: %d receipts taken, %d durable; %d sealed in %d blocks; %d refused%s, %.0f receipts/s",
		s.cmd.Dir, taken, durable, sealed, blocks, s.refused, duplicates, rate)
}
