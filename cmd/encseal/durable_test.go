package main

import (
	"bufio"
	"crypto/ed25519"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/encseal/encseal/engine/receipt"
)

// mkinput NEW COUNT APPS BYTES writes COUNT receipts, in turn of so many apps, app-0 and on. Each is told apart by its hash,
// and has a label that is BYTES long.
func mkinput(ts *testscript.TestScript, neg bool, args []string) {
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	apps, err := strconv.Atoi(args[2])
	ts.Check(err)
	size, err := strconv.Atoi(args[3])
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	w := bufio.NewWriterSize(f, readSize)
	label := strings.Repeat("x", size)
	var line []byte
	for i := range count {
		digest := [32]byte{1, byte(i), byte(i >> 8), byte(i >> 16)}
		r := receipt.Receipt{
			App: fmt.Sprintf("app-%d", i%apps), Container: "job-1", Op: "exec.start", TS: "2026-01-15T10:00:00Z",
			Resource: receipt.Resource{CPUms: uint64(i), MemoryMBs: 265, StorageGBDay: 0.1, EgressMB: 1.2},
			PrevHash: receipt.Genesis(), Hash: receipt.Digest(digest), Sig: receipt.Signature([ed25519.SignatureSize]byte{1}),
			Labels: []receipt.Label{{Key: "l", Value: label}},
		}
		line, err = r.AppendJSON(line[:0])
		ts.Check(err)
		_, err = w.Write(append(line, '\n'))
		ts.Check(err)
	}
	ts.Check(w.Flush())
	ts.Check(f.Close())
}

// begin ARG... starts encseal. Its words are read by until and ended.
func begin(ts *testscript.TestScript, neg bool, args []string) {
	h := &held{cmd: command(ts, args)}
	h.cmd.Stdout = &h.stdout
	words, err := h.cmd.StderrPipe()
	ts.Check(err)
	h.words = bufio.NewReader(words)
	ts.Check(h.cmd.Start())
	ts.Value(heldKey{}).(map[string]*held)["held"] = h
}

// until TEXT waits until the run that was begun says a line with TEXT.
func until(ts *testscript.TestScript, neg bool, args []string) {
	h := ts.Value(heldKey{}).(map[string]*held)["held"]
	for {
		line, err := h.words.ReadString('\n')
		h.stderr.WriteString(line)
		if err != nil {
			_ = h.cmd.Wait()
			ts.Fatalf("it ended without saying %q; stderr:\n%s", args[0], h.stderr.Bytes())
		}
		if strings.Contains(line, args[0]) {
			return
		}
	}
}

// ended CODE [SIGNAL] waits for the run that was begun, after sending it SIGNAL; otherwise as release. The code of a run that was
// killed is -1.
func ended(ts *testscript.TestScript, neg bool, args []string) {
	h := ts.Value(heldKey{}).(map[string]*held)["held"]
	if len(args) > 1 {
		ts.Check(h.cmd.Process.Signal(signalNamed(args[1])))
	}
	_, err := io.Copy(&h.stderr, h.words)
	ts.Check(err)
	h.ends(ts, args[0])
}

// killed LINES NEW ARG... runs encseal, kills it when LINES lines of its standard output were read, and leaves all whole ones in NEW.
func killed(ts *testscript.TestScript, neg bool, args []string) {
	count, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := command(ts, args[2:])
	pipe, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	var text strings.Builder
	out := bufio.NewReader(pipe)
	for n := 0; ; n++ {
		if n == count {
			ts.Check(cmd.Process.Kill())
		}
		line, err := out.ReadString('\n')
		if err != nil {
			break
		}
		text.WriteString(line)
	}
	if cmd.Wait() == nil {
		ts.Fatalf("it ended by itself after %d lines", strings.Count(text.String(), "\n"))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text.String()), 0o644))
}

// subset A B fails where a line of A is not in B.
func subset(ts *testscript.TestScript, neg bool, args []string) {
	all := make(map[string]bool)
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		all[line] = true
	}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if !all[line] {
			ts.Fatalf("%s has what is not in %s: %s", args[0], args[1], line)
		}
	}
}

// mount DIR SIZE mounts a file system of that size on the directory, until the script ends, or gives it another size.
func mount(ts *testscript.TestScript, neg bool, args []string) {
	dir, options := ts.MkAbs(args[0]), "size="+args[1]
	if _, err := os.Stat(dir); err == nil {
		options = "remount," + options
	} else {
		ts.Check(os.Mkdir(dir, 0o700))
		ts.Defer(func() { ts.Check(exec.Command("umount", "-l", dir).Run()) })
	}
	ts.Check(ts.Exec("mount", "-t", "tmpfs", "-o", options, "encseal", dir))
}
