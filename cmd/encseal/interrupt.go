package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// errInterrupted is what a stoppable reader returns once it is stopped and all that was read before is used up.
var errInterrupted = errors.New("interrupted")

// interrupts turns the first SIGHUP, SIGINT or SIGTERM into a closed channel; the second ends the process at once.
type interrupts struct {
	stop chan struct{} // closed by the first signal, or by halt
	once sync.Once     // closes stop
	code atomic.Int32  // exit code of the first signal, 0 before it
	sigs chan os.Signal
	done chan struct{} // closed when the goroutine has returned
}

func catchInterrupts(con *console) *interrupts {
	n := &interrupts{stop: make(chan struct{}), sigs: make(chan os.Signal, 2), done: make(chan struct{})}
	signal.Notify(n.sigs, caught()...)
	go func() {
		defer close(n.done)
		for sig := range n.sigs {
			if code := n.code.Load(); code != 0 {
				os.Exit(int(code))
			}
			n.code.Store(signalCode(sig))
			con.say("%v: sealing what was read; a second signal ends at once", sig)
			n.halt()
		}
	}()
	return n
}

// caught is the signals that stop a run. SIGHUP is left alone where nohup had it ignored.
func caught() []os.Signal {
	sigs := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		sigs = append(sigs, syscall.SIGHUP)
	}
	return sigs
}

// signalCode is the exit code of a signal, as shells have it.
func signalCode(sig os.Signal) int32 {
	switch sig {
	case syscall.SIGHUP:
		return 129
	case syscall.SIGTERM:
		return 143
	default:
		return 130
	}
}

// halt closes stop without a signal. Any goroutine may call it.
func (n *interrupts) halt() { n.once.Do(func() { close(n.stop) }) }

// release gives the signals back to the system.
func (n *interrupts) release() {
	signal.Stop(n.sigs)
	close(n.sigs)
	<-n.done
}

// err is nil before a signal, and then ends the command with its code.
func (n *interrupts) err() error {
	if code := n.code.Load(); code != 0 {
		return &exitError{int(code), errors.New("interrupted")}
	}
	return nil
}

// stoppable reads src until stop is closed, even where a read of src blocks for ever: the read is made by a goroutine of
// its own into a buffer of its own, and when stop comes first, both are left to the end of the process. Nothing is read
// ahead of being asked for: what a signal leaves unread is still in the pipe, but for what such a read takes yet.
type stoppable struct {
	stop <-chan struct{}
	ask  chan []byte // a buffer to read into; closed by Close
	got  chan chunk  // buffered, so that a read nobody waits for any more does not block
	buf  []byte
	rest []byte // the part of buf not handed on yet
	err  error
}

type chunk struct {
	n   int
	err error
}

// readSize is large enough for the handing over between goroutines not to be seen beside parsing.
const readSize = 256 << 10

func newStoppable(src io.Reader, stop <-chan struct{}) *stoppable {
	s := &stoppable{stop: stop, ask: make(chan []byte), got: make(chan chunk, 1), buf: make([]byte, readSize)}
	go func() {
		for buf := range s.ask {
			n, err := src.Read(buf)
			s.got <- chunk{n, err}
		}
	}()
	return s
}

func (s *stoppable) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.err == nil {
			s.fill()
		}
		if len(s.rest) == 0 {
			return 0, s.err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// fill reads once, or sets err where stop came first. Of a read and a stop that are both there, the read counts.
func (s *stoppable) fill() {
	select {
	case <-s.stop:
		s.err = errInterrupted
		return
	case s.ask <- s.buf:
	}
	var c chunk
	select {
	case c = <-s.got:
	case <-s.stop:
		select {
		case c = <-s.got:
		default:
			s.err = errInterrupted
			return
		}
	}
	s.rest, s.err = s.buf[:c.n], c.err
}

// late returns how many bytes the read that stop came before has taken since. They are lost to this reader.
func (s *stoppable) late() int {
	select {
	case c := <-s.got:
		return c.n
	default:
		return 0
	}
}

// Close ends the goroutine, unless it is inside a read that never returns.
func (s *stoppable) Close() { close(s.ask) }
