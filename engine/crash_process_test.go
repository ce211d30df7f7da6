package engine_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
)

// loadEnv, in the environment of the test binary, makes it a process that seals a load and prints what it promised: it is
// JSON of a loadTask.
const loadEnv = "ENCSEAL_TEST_LOAD"

// loadTask is what such a process is to do.
type loadTask struct {
	Dir, Head string
	Receipts  string // file that appendChains wrote
	From      []int
	Seed      uint64
}

// loadMain is the process. Each line it prints is one write to a pipe, and whole: "R producer index number…" for a call that
// is durable, "B height digest" for a block that its sink has seen.
func loadMain(task string) error {
	var t loadTask
	if err := json.Unmarshal([]byte(task), &t); err != nil {
		return err
	}
	b, err := os.ReadFile(t.Receipts)
	if err != nil {
		return err
	}
	chains, err := readChains(b)
	if err != nil {
		return err
	}
	all := 0
	for _, chain := range chains {
		all += len(chain)
	}
	cfg := loadConfig(all, printer{})
	cfg.Store = engine.Store{Dir: t.Dir, Head: t.Head, SegmentSize: smallSegments}
	e, err := engine.Open(cfg)
	if err != nil {
		return err
	}
	err = runLoad(background, e, chains, t.From, rand.New(rand.NewPCG(t.Seed, 0)), func(p, i int, taken []engine.Taken) {
		line := fmt.Sprintf("R %d %d", p, i)
		for _, k := range taken {
			line += fmt.Sprintf(" %d", k.Seq)
		}
		fmt.Println(line)
	})
	if closeErr := e.Close(background); err == nil {
		err = closeErr
	}
	return err
}

type printer struct{}

func (printer) Deliver(_ context.Context, b *logblock.LogBlock) error {
	digest, err := b.SignedDigest(nil)
	if err == nil {
		_, err = fmt.Printf("B %d %x\n", b.Height, digest)
	}
	return err
}

// hear takes a line of a process.
func (c *client) hear(line string) error {
	if height, digest, ok := block(line); ok {
		c.mu.Lock()
		c.see(place{"load", height}, digest)
		c.mu.Unlock()
		return nil
	}
	var p, i int
	rest := strings.NewReader(line)
	if _, err := fmt.Fscanf(rest, "R %d %d", &p, &i); err != nil {
		return fmt.Errorf("line %q: %w", line, err)
	}
	for ; ; i++ {
		var seq engine.Seq
		if _, err := fmt.Fscan(rest, &seq); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("line %q: %w", line, err)
		}
		c.acknowledged(p*len(c.sent["load"])/producers+i, seq)
	}
}

func block(line string) (height uint64, digest [32]byte, ok bool) {
	var text string
	if _, err := fmt.Sscanf(line, "B %d %s", &height, &text); err != nil {
		return 0, digest, false
	}
	n, err := hex.Decode(digest[:], []byte(text))
	return height, digest, err == nil && n == len(digest)
}

// loadRun is a load in a process that dies again and again.
type loadRun struct {
	client *client
	dir    string // for what the process is given
	data   string // the Engine's directory
	head   string // its head file
	rng    *rand.Rand
}

func newLoadRun(t *testing.T, seed uint64, deaths int, data, head string) *loadRun {
	t.Helper()
	// More than each run acknowledges before it dies.
	l := &loadRun{client: newLoad(t, 500+130*deaths), dir: t.TempDir(), data: data, head: head, rng: rand.New(rand.NewPCG(seed, 0))}
	b, err := appendChains(nil, l.client.chains())
	if err == nil {
		err = os.WriteFile(filepath.Join(l.dir, "receipts"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// die runs the process until it has printed some lines, and then kill, which ends it or leaves that to us. It takes
// what was printed, and asks that the process did not end by itself.
func (l *loadRun) die(kill func() error) error {
	task, err := json.Marshal(loadTask{
		Dir: l.data, Head: l.head, Receipts: filepath.Join(l.dir, "receipts"), From: l.client.starts(l.rng, 30), Seed: l.rng.Uint64(),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), loadEnv+"="+string(task))
	dieWithUs(cmd)
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	left := 1 + l.rng.IntN(60)
	var once sync.Once
	end := func() {
		once.Do(func() {
			if kill != nil {
				err = kill()
			}
			_ = cmd.Process.Kill() // it may have ended
		})
	}
	defer func() { end(); _ = cmd.Wait() }()
	lines := bufio.NewReader(out)
	for {
		line, readErr := lines.ReadString('\n')
		if readErr != nil { // what was printed last and not whole was never said
			break
		}
		if err := l.client.hear(strings.TrimSpace(line)); err != nil {
			return err
		}
		if left--; left == 0 {
			end()
		}
	}
	if left > 0 {
		return fmt.Errorf("the process ended by itself: %s", words.String())
	}
	return err
}

// dieOften is die so many times, with reset after each, if it is not nil.
func (l *loadRun) dieOften(t *testing.T, deaths int, kill, reset func() error) {
	t.Helper()
	began := time.Now()
	for i := range deaths {
		if err := l.die(kill); err != nil {
			t.Fatalf("death %d: %v", i, err)
		}
		if reset != nil {
			if err := reset(); err != nil {
				t.Fatalf("death %d: %v", i, err)
			}
		}
		if err := l.client.trouble(); err != nil {
			t.Fatalf("death %d: %v", i, err)
		}
	}
	acked := len(l.client.sent["load"]) - len(l.client.pick("load", 0))
	t.Logf("%d deaths in %v, %d receipts acknowledged", deaths, time.Since(began), acked)
	if acked < 10*deaths {
		t.Error("want ten for each death at least")
	}
}

// check is the client's, on what is left.
func (l *loadRun) check() error {
	data, err := journal.Dir(l.data)
	if err != nil {
		return err
	}
	head, err := journal.Dir(filepath.Dir(l.head))
	if err != nil {
		return err
	}
	return l.client.check(engine.Store{FS: data, Head: l.head, HeadFS: head})
}

// A process that seals under load is killed, again and again.
func TestKill(t *testing.T) {
	deaths := 20
	if long() {
		deaths = 50
	}
	deaths = thin(deaths)
	root := t.TempDir()
	l := newLoadRun(t, seed(t), deaths, filepath.Join(root, "data"), filepath.Join(root, "head"))
	l.dieOften(t, deaths, nil, nil)
	if err := l.check(); err != nil {
		t.Fatal(err)
	}
}
