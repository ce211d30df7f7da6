package main

import (
	"errors"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/receipt"
)

// sum says what was done. Of a run that failed it says nothing where nothing was.
func (s *sealing) sum(err error) {
	receipts, blocks := s.bar.receipts.Load(), s.bar.blocks.Load()
	if s.notary == nil && s.refused == 0 {
		if !isFailure(err) {
			s.con.say("no receipts in %s: no LogBlocks", s.in.name)
		}
		return
	}
	rate := float64(receipts) / max(time.Since(s.started).Seconds(), 1e-6)
	s.con.say("%d receipts, %d blocks, %d refused, %.0f receipts/s", receipts, blocks, s.refused, rate)
	if s.rejects != nil && s.refused > 0 {
		s.con.say("verify and prove take the input without the lines in %s", s.cmd.Rejects)
	}
}

// sayProducers says where each producer's chain stands behind the last LogBlock, which no LogBlock does.
func (s *sealing) sayProducers() {
	if s.config.Check != engine.CheckStrict {
		return
	}
	keys := s.config.Producers
	if s.notary != nil {
		keys = s.notary.Producers()
	}
	s.con.say("to continue: --producer-key with each of these, beside --after; producers' chains stand there now")
	for _, key := range keys {
		if key.Head.IsZero() {
			key.Head = receipt.Genesis()
		}
		s.con.say("producer %v", key)
	}
}

// isFailure tells a run that could not go on from one that ended or was interrupted.
func isFailure(err error) bool {
	_, meant := errors.AsType[*exitError](err)
	return err != nil && !meant
}
