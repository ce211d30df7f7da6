package journaltest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/encseal/encseal/engine/journal"
)

// script makes each call once, on a directory where a holds "1111" and z is, and returns the error of each. It goes on
// after one. Without a file, its calls are not made.
func script(fsys journal.FS, data []byte) (errs []error) {
	note := func(err error) error {
		errs = append(errs, err)
		return err
	}
	lock, err := fsys.Lock("lock")
	note(err)
	created, err := fsys.Create("new", 1)
	note(err)
	f, err := fsys.Open("a", true)
	if note(err) == nil {
		_, err = f.WriteAt(data, 0)
		note(err)
		note(f.Sync())
		_, err = f.ReadAt(make([]byte, 4), 0)
		note(err)
		_, err = f.Size()
		note(err)
		note(f.Close())
	}
	note(fsys.Rename("a", "b"))
	note(fsys.Remove("z"))
	_, err = fsys.List()
	note(err)
	note(fsys.SyncDir())
	if lock != nil {
		note(lock.Close())
	}
	if created != nil {
		note(created.Close())
	}
	return errs
}

func scriptDir(t *testing.T, size int) *Mem {
	m := NewMem()
	write(t, create(t, m, "a", int64(size)), fill('1', size/sectorSize), 0)
	create(t, m, "z", 0)
	return m.CrashKept()
}

var scriptOps = []string{"Lock lock", "Create new", "Open a", "WriteAt a [0, 2048)", "Sync a", "ReadAt a [0, 4)", "Size a", "Close a",
	"Rename a", "Remove z", "List", "SyncDir", "Close lock", "Close new"}

func TestFaultsCounts(t *testing.T) {
	var before, calls []string
	f := NewFaults(scriptDir(t, 2048))
	f.Before = func(n int, op, name string) { before = append(before, fmt.Sprint(n, op, name)) }
	for i, err := range script(f, fill('2', 4)) {
		if err != nil {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
	var want []string
	for i, c := range f.Calls() {
		calls = append(calls, c.String())
		want = append(want, fmt.Sprint(i+1, c.Op, c.Name))
	}
	if diff := cmp.Diff(scriptOps, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, before); diff != "" {
		t.Errorf("Before (-want +got):\n%s", diff)
	}
}

// effects says what a script did to a directory that is now m.
func effects(m *Mem) string {
	lock, err := m.Lock("lock")
	if err == nil {
		lock.Close()
	}
	s := fmt.Sprint("locked:", err != nil)
	for _, name := range m.Names() {
		s += " " + name + ":" + pattern(m.Bytes(name))
	}
	return s + " durable:" + fmt.Sprint(m.Clone().CrashLost().Names())
}

// Every call in every way: the error is the plan's, on that call alone, and what it did is as How says.
func TestFaultsEachCall(t *testing.T) {
	const all = "locked:false b:2222 lock: new:0 durable:[b lock new]"
	lost := map[string]string{ // what differs from all where the call did nothing
		"Create new":          "locked:false b:2222 lock: durable:[b lock]",
		"Open a":              "locked:false b:1111 lock: new:0 durable:[b lock new]",
		"WriteAt a [0, 2048)": "locked:false b:1111 lock: new:0 durable:[b lock new]",
		"Rename a":            "locked:false a:2222 lock: new:0 durable:[a lock new]",
		"Remove z":            "locked:false b:2222 lock: new:0 z: durable:[b lock new z]",
		"SyncDir":             "locked:false b:2222 lock: new:0 durable:[a z]",
		"Close lock":          "locked:true b:2222 lock: new:0 durable:[b lock new]",
	}
	for i, op := range scriptOps {
		for _, how := range []How{FailedLost, FailedDone, ShortWrite} {
			m := scriptDir(t, 2048)
			fault := Fault{Call: i + 1, How: how, Err: syscall.ENOSPC}
			f := NewFaults(m, fault)
			for j, err := range script(f, fill('2', 4)) {
				if want := map[bool]error{true: syscall.ENOSPC}[j == i]; err != want {
					t.Errorf("%s %v, call %d: got %v, want %v", op, how, j+1, err, want)
				}
			}
			want := all
			if s, ok := lost[op]; ok && (how != FailedDone || op == "Open a") {
				want = s
			}
			if op == "WriteAt a [0, 2048)" && how == ShortWrite {
				want = "locked:false b:2211 lock: new:0 durable:[b lock new]"
			}
			got := effects(m)
			if op == "Lock lock" && how != FailedDone { // effects itself made the file
				want = "locked:false b:2222 lock: new:0 durable:[b new]"
			}
			if got != want {
				t.Errorf("%s %v: got %s, want %s", op, how, got, want)
			}
			if got, want := f.Calls()[i].String(), fmt.Sprintf("%s: %v, %v", op, how, syscall.ENOSPC); got != want {
				t.Errorf("got call %q, want %q", got, want)
			}
		}
	}
}

// A short write tells how much it wrote; a Direct file gets whole blocks and has the same bytes afterwards.
func TestFaultsShortWrite(t *testing.T) {
	for _, direct := range []bool{false, true} {
		for _, sectors := range []int{8, 24} {
			m := NewMem()
			m.SetDirect(direct)
			f := NewFaults(m, Fault{Call: 3, How: ShortWrite})
			file := create(t, f, "a", int64(sectors*sectorSize))
			b := alignedBuffer(sectors * sectorSize)
			copy(b, fill('1', sectors))
			write(t, file, b, 0)
			copy(b, fill('2', sectors))
			n, err := file.WriteAt(b, 0)
			if n != len(b)/2 || err != syscall.EIO {
				t.Errorf("direct=%v: got %d, %v, want %d, %v", direct, n, err, len(b)/2, syscall.EIO)
			}
			want := pattern(slices.Concat(fill('2', sectors/2), fill('1', sectors/2)))
			if got := pattern(m.Bytes("a")); got != want {
				t.Errorf("direct=%v: got %s, want %s", direct, got, want)
			}
		}
	}
	m := NewMem()
	file := create(t, NewFaults(m, Fault{Call: 2, How: ShortWrite}), "a", 0)
	if n, err := file.WriteAt(make([]byte, sectorSize), 0); n != 0 || err == nil {
		t.Errorf("of one sector: got %d, %v, want 0 and an error", n, err)
	}
}

func TestFaultsPlans(t *testing.T) {
	for _, test := range []struct {
		plan []Fault
		want []int // calls of ten that fail: WriteAt, Sync, WriteAt, …
	}{
		{nil, nil},
		{[]Fault{{Call: 3}, {Call: 6}}, []int{3, 6}},
		{[]Fault{{Call: 3, Op: "Sync"}}, nil},
		{[]Fault{{Call: 4, Op: "Sync"}}, []int{4}},
		{[]Fault{{Call: 3, Op: "Sync", All: true}}, []int{4, 6, 8, 10}},
		{[]Fault{{Call: 8, All: true}}, []int{8, 9, 10}},
		{[]Fault{{Call: 11}}, nil},
	} {
		m := NewMem()
		create(t, m, "a", 0)
		f := NewFaults(m, test.plan...)
		file := faultFile{f, &memFile{m: m, n: m.names["a"], writable: true}, "a"}
		var got []int
		for i := range 10 {
			var err error
			if i%2 == 0 {
				_, err = file.WriteAt([]byte{1}, 0)
			} else {
				err = file.Sync()
			}
			if err != nil {
				got = append(got, i+1)
			}
			if failed := f.Calls()[i].Fault != nil; failed != (err != nil) {
				t.Errorf("%v: call %d: got failed %v in Calls, want %v", test.plan, i+1, failed, !failed)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%v: got failures %v, want %v", test.plan, got, test.want)
		}
	}
}

// A Sync that fails lost what it was to make durable, for later Syncs too; done, it is durable.
func TestFaultsSync(t *testing.T) {
	for how, want := range map[How]string{FailedLost: "1031", FailedDone: "1231", ShortWrite: "1031"} {
		m := NewMem()
		f := create(t, NewFaults(m, Fault{Call: 5, How: how}), "a", 4*sectorSize)
		must(t, m.SyncDir())
		write(t, f, fill('1', 1), 0)
		must(t, f.Sync())
		write(t, f, fill('2', 1), sectorSize)
		if err := f.Sync(); err != syscall.EIO {
			t.Fatalf("%v: got %v, want %v", how, err, syscall.EIO)
		}
		write(t, f, fill('3', 1), 2*sectorSize)
		write(t, f, fill('1', 1), 3*sectorSize)
		must(t, f.Sync())
		if got := pattern(m.Bytes("a")); got != "1231" {
			t.Errorf("%v: read %s, want 1231", how, got)
		}
		if got := pattern(m.CrashLost().Bytes("a")); got != want {
			t.Errorf("%v: got %s after a crash, want %s", how, got, want)
		}
	}
}

func TestFaultsSyncKeepsSize(t *testing.T) {
	m := NewMem()
	f := create(t, NewFaults(m, Fault{Call: 2}), "a", sectorSize)
	must(t, m.SyncDir())
	if err := f.Sync(); err != syscall.EIO {
		t.Fatalf("got %v, want %v", err, syscall.EIO)
	}
	must(t, f.Sync())
	if got := pattern(m.CrashLost().Bytes("a")); got != "0" {
		t.Errorf("got %q after a crash, want one sector", got)
	}
}

// A test takes what is durable at each call of a run, and ends the run at one.
func TestFaultsBefore(t *testing.T) {
	for n := 1; n <= len(scriptOps); n++ {
		m := scriptDir(t, 2048)
		var after *Mem
		f := NewFaults(m)
		f.Before = func(i int, op, name string) {
			if i == n {
				after = m.Crash(rand.New(rand.NewPCG(uint64(n), 4)))
			}
		}
		failed := 0
		for _, err := range script(f, fill('2', 4)) {
			if errors.Is(err, ErrCrashed) {
				failed++
			}
		}
		if want := len(f.Calls()) - n + 1; failed != want {
			t.Errorf("crash at call %d: got %d calls that failed, want %d", n, failed, want)
		}
		if _, err := after.List(); err != nil {
			t.Errorf("crash at call %d: the survivor: %v", n, err)
		}
	}
}

// Under the race detector: calls of many goroutines are each counted once.
func TestFaultsConcurrent(t *testing.T) {
	m := NewMem()
	f := NewFaults(m, Fault{Call: 50, Op: "Sync", All: true})
	seen := 0
	f.Before = func(n int, op, name string) {
		if seen++; n != seen {
			t.Errorf("Before: got call %d, want %d", n, seen)
		}
	}
	var wg sync.WaitGroup
	for i := range 4 {
		file := create(t, f, string(rune('a'+i)), 1)
		wg.Go(func() {
			for range 100 {
				file.WriteAt([]byte{1}, 0)
				file.Sync()
			}
		})
	}
	wg.Wait()
	if got, want := len(f.Calls()), 4*201; got != want || seen != want {
		t.Errorf("got %d calls, %d of Before, want %d", got, seen, want)
	}
}
