package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// held is a run of encseal whose standard input stays open. It is kept in Env.Values.
type held struct {
	cmd            *exec.Cmd
	stdin          io.WriteCloser
	stdout, stderr bytes.Buffer
	words          *bufio.Reader // of its standard error, where begin started it
}

type heldKey struct{}

// command prepares a run of encseal, found where scripts find it.
func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, "encseal"+ts.Getenv("exe"))
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			cmd := exec.Command(path, args...)
			cmd.Dir = ts.Getenv("WORK")
			cmd.Env = append(os.Environ(), "GORACE="+ts.Getenv("GORACE"))
			return cmd
		}
	}
	ts.Fatalf("encseal is not in PATH")
	return nil
}

// hold FILE ARG... starts encseal with FILE and then its last byte (a line feed where there is none) 4 MiB times on its
// standard input. It returns when that is written, so that FILE is read and all that is left unread is a pipe's and a
// buffer's fill of padding. Standard input stays open.
func hold(ts *testscript.TestScript, neg bool, args []string) { holdPadded(ts, args, 4<<20) }

// holdhalf is hold with half a MiB, so that a line that has not ended is none too long.
func holdhalf(ts *testscript.TestScript, neg bool, args []string) { holdPadded(ts, args, 512<<10) }

func holdPadded(ts *testscript.TestScript, args []string, n int) {
	h := &held{cmd: command(ts, args[1:])}
	h.cmd.Stdout, h.cmd.Stderr = &h.stdout, &h.stderr
	var err error
	h.stdin, err = h.cmd.StdinPipe()
	ts.Check(err)
	ts.Check(h.cmd.Start())
	text := ts.ReadFile(args[0])
	padding := "\n"
	if text != "" {
		padding = text[len(text)-1:]
	}
	_, err = io.WriteString(h.stdin, text+strings.Repeat(padding, n))
	ts.Check(err)
	ts.Value(heldKey{}).(map[string]*held)["held"] = h
}

// release CODE ends the standard input of the held run, which must end with CODE. Its standard output and error are left
// in the files out.txt and words.txt.
func release(ts *testscript.TestScript, neg bool, args []string) {
	h := ts.Value(heldKey{}).(map[string]*held)["held"]
	ts.Check(h.stdin.Close())
	h.ends(ts, args[0])
}

// interrupt SIGNAL CODE sends INT, TERM or HUP to the held run, whose standard input stays open; otherwise as release.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	h := ts.Value(heldKey{}).(map[string]*held)["held"]
	ts.Check(h.cmd.Process.Signal(signalNamed(args[0])))
	h.ends(ts, args[1])
}

func signalNamed(name string) os.Signal {
	switch name {
	case "KILL":
		return os.Kill
	case "HUP":
		return syscall.SIGHUP
	case "TERM":
		return syscall.SIGTERM
	}
	return os.Interrupt
}

func (h *held) ends(ts *testscript.TestScript, code string) {
	got := exitCode(ts, h.cmd.Wait())
	ts.Check(os.WriteFile(ts.MkAbs("out.txt"), h.stdout.Bytes(), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("words.txt"), h.stderr.Bytes(), 0o644))
	if strconv.Itoa(got) != code {
		ts.Fatalf("exit code: got %d, want %s; stderr:\n%s", got, code, h.stderr.Bytes())
	}
}

// stuck SIGNAL CODE ARG... runs encseal with a standard output that nobody reads, sends SIGNAL, waits until it is answered
// with a word, and sends it again: the run must end with CODE.
func stuck(ts *testscript.TestScript, neg bool, args []string) {
	cmd := command(ts, args[2:])
	reader, writer, err := os.Pipe()
	ts.Check(err)
	defer reader.Close()
	cmd.Stdout = writer
	words, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Check(writer.Close())
	// The first LogBlock is on its way, so the signals are caught by now.
	_, err = io.ReadFull(reader, make([]byte, 1))
	ts.Check(err)
	ts.Check(cmd.Process.Signal(signalNamed(args[0])))
	lines := bufio.NewScanner(words)
	for lines.Scan() && !strings.Contains(lines.Text(), "a second signal ends at once") {
	}
	ts.Check(cmd.Process.Signal(signalNamed(args[0])))
	if got := strconv.Itoa(exitCode(ts, cmd.Wait())); got != args[1] {
		ts.Fatalf("exit code: got %s, want %s", got, args[1])
	}
}
