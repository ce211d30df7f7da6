package main

import (
	"errors"
	"fmt"
	"os"
)

func (s *sealing) openOutputs() error {
	err := s.openOutput()
	if err != nil || s.cmd.Rejects == "" {
		return err
	}
	if info, err := os.Stat(s.cmd.Rejects); err == nil && info.Mode().IsRegular() && s.out.is(info, nil) {
		return usage("--rejects: %s is where the LogBlocks go", s.cmd.Rejects)
	}
	s.rejects, err = createRejects(s.cmd.Rejects)
	return err
}

// openOutput opens -o, and goes through --after, whose file may be the same one.
func (s *sealing) openOutput() error {
	var err error
	if s.cmd.After != "" {
		if s.after, err = s.con.open(s.cmd.After, "LogBlocks"); err != nil {
			return err
		}
	}
	after := s.after
	if s.cmd.Output == "" || s.cmd.Output == "-" {
		s.out = streamOutput(s.con.out, "standard output")
		if after != nil && s.out.is(after.file.Stat()) {
			err = s.out.hold() // redirected to the log that it continues: as -o with that file
		}
	} else {
		s.out, err = openOutput(s.cmd.Output)
	}
	if err != nil {
		return err
	}
	if s.cmd.Dir != "" {
		s.printed, err = s.readPrinted()
		return err
	}
	if after == nil {
		return s.out.mustBeEmpty()
	}
	if !s.out.is(after.file.Stat()) {
		if err := s.lockAfter(); err != nil {
			return err
		}
	}
	// The lock is held by now: nobody adds a block between the check of the chain and the first block after it.
	chain, err := s.resume(after)
	if err != nil {
		return err
	}
	if !s.out.is(after.file.Stat()) {
		return s.out.mustBeEmpty()
	}
	if chain.unterminated {
		_, err = s.out.Write([]byte("\n"))
	}
	return err
}

// lockAfter keeps a second run from continuing the same file while this one does, whatever the two write to. (A file that
// is also the output is locked as that, through another descriptor, which would refuse this one.)
func (s *sealing) lockAfter() error {
	if s.after.size < 0 {
		return nil // no regular file
	}
	err := lock(s.after.file)
	if errors.Is(err, errLocked) {
		return fmt.Errorf("%s: %w", s.after.name, err)
	}
	if err != nil { // some network file systems lock only what is open for writing
		s.con.say("%s: not locked against a second run that continues it: %v", s.after.name, err)
	}
	return nil
}

// closeAfter gives up the lock, after the last LogBlock is written.
func (s *sealing) closeAfter() {
	if s.after != nil {
		s.after.Close()
	}
}
