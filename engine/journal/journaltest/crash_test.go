package journaltest

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const seeds = 400

// outcomes runs f with many seeds and counts what it returns.
func outcomes(f func(rng *rand.Rand) string) map[string]int {
	counts := make(map[string]int)
	for seed := range uint64(seeds) {
		counts[f(rand.New(rand.NewPCG(seed, 2)))]++
	}
	return counts
}

// wantOutcomes checks that nothing but want came, and each of it.
func wantOutcomes(t *testing.T, got map[string]int, want ...string) {
	t.Helper()
	for _, w := range want {
		if got[w] == 0 {
			t.Errorf("in %d crashes never got %q", seeds, w)
		}
	}
	for g, n := range got {
		if !slices.Contains(want, g) {
			t.Errorf("in %d of %d crashes got %q, want none", n, seeds, g)
		}
	}
}

// pattern says for each sector by a letter what fills it; '?' is a mixture.
func pattern(b []byte) string {
	var s strings.Builder
	for sector := range slices.Chunk(b, sectorSize) {
		c := sector[0]
		switch {
		case !bytes.Equal(sector, bytes.Repeat([]byte{c}, len(sector))):
			c = '?'
		case c == 0:
			c = '0'
		}
		s.WriteByte(c)
	}
	return s.String()
}

func fill(c byte, sectors int) []byte {
	return bytes.Repeat([]byte{c}, sectors*sectorSize)
}

// Each sector of an unsynced write is lost and kept, each for itself; synced ones are never lost, never torn.
func TestCrashSectors(t *testing.T) {
	m := NewMem()
	f := create(t, m, "a", 6*sectorSize)
	write(t, f, fill('a', 5), 0)
	must(t, f.Sync())
	must(t, m.SyncDir())
	write(t, f, fill('b', 3), sectorSize)
	var want []string
	for i := range 8 {
		s := []byte("aaaaa0")
		for bit := range 3 {
			if i>>bit&1 == 1 {
				s[1+bit] = 'b'
			}
		}
		want = append(want, string(s))
	}
	crash := func(rng *rand.Rand) string { return pattern(m.Clone().Crash(rng).Bytes("a")) }
	wantOutcomes(t, outcomes(crash), want...)
	must(t, f.Sync())
	wantOutcomes(t, outcomes(crash), "abbba0")
}

// Of two unsynced writes to a sector any one is the last that is seen, zeros as well as others. Writes of less than a sector
// are lost and kept too.
func TestCrashRewrites(t *testing.T) {
	m := NewMem()
	f := create(t, m, "a", 2*sectorSize)
	write(t, f, fill('a', 2), 0)
	must(t, f.Sync())
	must(t, m.SyncDir())
	write(t, f, fill('b', 1), 0)
	write(t, f, make([]byte, sectorSize), 0)
	write(t, f, fill('c', 1)[:100], sectorSize)
	wantOutcomes(t, outcomes(func(rng *rand.Rand) string { return pattern(m.Clone().Crash(rng).Bytes("a")) }),
		"aa", "ba", "0a", "a?", "b?", "0?")
}

// The size that Create gave a file is not durable before Sync, though the name may be.
func TestCrashSize(t *testing.T) {
	m := NewMem()
	f := create(t, m, "a", 2*sectorSize)
	must(t, m.SyncDir())
	crash := func(rng *rand.Rand) string { return pattern(m.Clone().Crash(rng).Bytes("a")) }
	wantOutcomes(t, outcomes(crash), "", "00")
	must(t, f.Sync())
	wantOutcomes(t, outcomes(crash), "00")
}

// Of what was done to names since SyncDir a beginning is kept; a Sync of the file does not help its name.
func TestCrashNames(t *testing.T) {
	m := NewMem()
	write(t, create(t, m, "old", 1), []byte{'o'}, 0)
	f := create(t, m, "a", 1)
	write(t, f, []byte{'a'}, 0)
	must(t, f.Sync())
	crash := func(rng *rand.Rand) string { return strings.Join(m.Clone().Crash(rng).Names(), " ") }
	wantOutcomes(t, outcomes(crash), "", "old", "a old")
	must(t, m.SyncDir())
	wantOutcomes(t, outcomes(crash), "a old")
	must(t, m.Rename("a", "b"))
	must(t, m.Remove("old"))
	create(t, m, "c", 0)
	must(t, m.Rename("c", "b"))
	wantOutcomes(t, outcomes(crash), "a old", "b old", "b", "b c")
	must(t, m.SyncDir())
	wantOutcomes(t, outcomes(crash), "b")
	if got := m.Bytes("b"); len(got) != 0 {
		t.Errorf("got %q in b, want nothing: c replaced it", got)
	}
}

func TestCrashLostAndKept(t *testing.T) {
	m := NewMem()
	f := create(t, m, "a", 2*sectorSize)
	must(t, f.Sync())
	must(t, m.SyncDir())
	write(t, f, fill('a', 2), 0)
	must(t, m.Rename("a", "b"))
	lost, kept := m.Clone().CrashLost(), m.Clone().CrashKept()
	if diff := cmp.Diff([]string{"a", "00"}, append(lost.Names(), pattern(lost.Bytes("a")))); diff != "" {
		t.Errorf("CrashLost (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b", "aa"}, append(kept.Names(), pattern(kept.Bytes("b")))); diff != "" {
		t.Errorf("CrashKept (-want +got):\n%s", diff)
	}
}

// What a crash leaves is durable, and the same seed leaves the same, of a clone and of the dead directory itself.
func TestCrashAgain(t *testing.T) {
	m := NewMem()
	for _, name := range []string{"a", "b", "c", "d"} {
		write(t, create(t, m, name, 10*sectorSize), fill(name[0], 8), 300)
	}
	c := m.Clone()
	for seed := range uint64(50) {
		first := m.Crash(rand.New(rand.NewPCG(seed, 3)))
		for i, other := range []*Mem{
			m.Crash(rand.New(rand.NewPCG(seed, 3))), c.Clone().Crash(rand.New(rand.NewPCG(seed, 3))), first.Clone().CrashLost(),
		} {
			if diff := cmp.Diff(first.Names(), other.Names()); diff != "" {
				t.Fatalf("seed %d, outcome %d: (-first +other):\n%s", seed, i, diff)
			}
			for _, name := range first.Names() {
				if !bytes.Equal(first.Bytes(name), other.Bytes(name)) {
					t.Fatalf("seed %d, outcome %d: other bytes in %s", seed, i, name)
				}
			}
		}
	}
}

// A clone and what a crash left share nothing that changes with the directory that they are of.
func TestCrashApart(t *testing.T) {
	m := NewMem()
	f := create(t, m, "a", 8*sectorSize)
	write(t, f, fill('1', 8), 0)
	c := m.Clone()
	write(t, f, fill('2', 8), 0)
	after := c.CrashKept()
	if got := pattern(after.Bytes("a")); got != "11111111" {
		t.Errorf("a clone after the original changed: got %s, want 11111111", got)
	}
	f, err := after.Open("a", true)
	must(t, err)
	write(t, f, fill('3', 8), 0)
	if got := pattern(after.CrashLost().Bytes("a")); got != "11111111" {
		t.Errorf("a second crash that loses all: got %s, want 11111111", got)
	}
}
