package main

import (
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestStoppableHandsOnWhatWasRead(t *testing.T) {
	stop := make(chan struct{})
	s := newStoppable(strings.NewReader("one"), stop)
	defer s.Close()
	var b [2]byte
	if n, err := s.Read(b[:]); n != 2 || err != nil {
		t.Fatalf("before stop: got %d, %v, want 2, nil", n, err)
	}
	close(stop)
	if n, err := s.Read(b[:]); n != 1 || err != nil || b[0] != 'e' {
		t.Fatalf("the rest of what was read: got %d, %v, want 1, nil", n, err)
	}
	for range 2 {
		if n, err := s.Read(b[:]); n != 0 || err != errInterrupted {
			t.Fatalf("after it: got %d, %v, want 0, %v", n, err, errInterrupted)
		}
	}
}

func TestStoppableLeavesBlockedRead(t *testing.T) {
	stop := make(chan struct{})
	src, writer := io.Pipe()
	defer writer.Close() // ends the goroutine that is inside src.Read
	s := newStoppable(src, stop)
	defer s.Close()
	result := make(chan error)
	go func() {
		_, err := s.Read(make([]byte, 1))
		result <- err
	}()
	close(stop)
	if err := <-result; err != errInterrupted {
		t.Fatalf("got %v, want %v", err, errInterrupted)
	}
}

func TestStoppableEndsAsItsSource(t *testing.T) {
	s := newStoppable(strings.NewReader(strings.Repeat("x", 3*readSize+1)), nil)
	defer s.Close()
	got, err := io.ReadAll(s)
	if len(got) != 3*readSize+1 || err != nil {
		t.Fatalf("got %d bytes, %v, want %d, nil", len(got), err, 3*readSize+1)
	}
}

func TestStoppableSaysWhatCameLate(t *testing.T) {
	stop := make(chan struct{})
	src, writer := io.Pipe()
	s := newStoppable(src, stop)
	defer s.Close()
	close(stop)
	// Of a stop and a buffer to hand out that are both there, either may be taken.
	s.ask <- s.buf
	if _, err := s.Read(make([]byte, 1)); err != errInterrupted {
		t.Fatalf("got %v, want %v", err, errInterrupted)
	}
	if n := s.late(); n != 0 {
		t.Errorf("nothing came: got %d", n)
	}
	if _, err := writer.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	s.ask <- s.buf // the read before has ended
	if n := s.late(); n != 4 {
		t.Errorf("got %d, want 4", n)
	}
}

// Under nohup a run outlives its terminal.
func TestHangupStaysIgnored(t *testing.T) {
	if !signal.Ignored(syscall.SIGHUP) {
		if !slices.Contains(caught(), os.Signal(syscall.SIGHUP)) {
			t.Error("SIGHUP is not caught")
		}
		defer signal.Reset(syscall.SIGHUP)
	}
	signal.Ignore(syscall.SIGHUP)
	if got := caught(); slices.Contains(got, os.Signal(syscall.SIGHUP)) {
		t.Errorf("ignored before: got %v", got)
	}
}
