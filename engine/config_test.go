package engine_test

import (
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

type weakKey struct{ engine.Signer }

func (weakKey) PublicKey() sign.PublicKey { return sign.PublicKey{1} }

func TestConfigNamesTheField(t *testing.T) {
	signer := newSigner(t)
	producers := []logblock.ProducerKey{newProducer("a").public()}
	for field, change := range map[string]func(*engine.Config){
		"App: empty":        func(c *engine.Config) { c.App = "" },
		"App: 256 bytes":    func(c *engine.Config) { c.App = strings.Repeat("a", 256) },
		"App: not UTF-8":    func(c *engine.Config) { c.App = "\xff" },
		"Signer: missing":   func(c *engine.Config) { c.Signer = nil },
		"Signer: sign":      func(c *engine.Config) { c.Signer = weakKey{signer} },
		"Sink":              func(c *engine.Config) { c.Sink = nil },
		"Scheme":            func(c *engine.Config) { c.Scheme = "encseal-2" },
		"MaxReceipts: -1":   func(c *engine.Config) { c.MaxReceipts = -1 },
		"MaxReceipts: 104":  func(c *engine.Config) { c.MaxReceipts = engine.LimitMaxReceipts + 1 },
		"MaxWindow":         func(c *engine.Config) { c.MaxWindow = -time.Second },
		"MaxPending":        func(c *engine.Config) { c.MaxPending = engine.DefaultMaxReceipts - 1 },
		"MaxPendingBytes":   func(c *engine.Config) { c.MaxPendingBytes = engine.MinMaxPendingBytes - 1 },
		"Resume: no height": func(c *engine.Config) { c.Resume = logblock.Head{Height: math.MaxUint64, Hash: [32]byte{1}} },
		"Resume: height 0":  func(c *engine.Config) { c.Resume = logblock.Head{Hash: [32]byte{1}} },
		"Resume: height 3":  func(c *engine.Config) { c.Resume = logblock.Head{Height: 3} },
		"Producers: logblock": func(c *engine.Config) {
			c.Check, c.Producers = engine.CheckStrict, append(producers[:1:1], producers...)
		},
		"Check":            func(c *engine.Config) { c.Check = engine.CheckStrict + 1 },
		"Producers: miss":  func(c *engine.Config) { c.Check = engine.CheckStrict },
		"Producers: given": func(c *engine.Config) { c.Producers = producers },
		"Producers: ed25519": func(c *engine.Config) {
			c.Check, c.Producers = engine.CheckStrict, []logblock.ProducerKey{{Key: signer.PublicKey()}}
		},
	} {
		cfg := engine.Config{App: "app", Signer: signer, Sink: new(shelf)}
		change(&cfg)
		n, err := engine.New(cfg)
		if err == nil {
			n.Close(background)
		}
		if err == nil || !strings.HasPrefix(err.Error(), "engine: Config."+field) {
			t.Errorf("got %v, want an error about %s", err, field)
		}
	}
}

// Who embeds the engine compiles no other module than these.
func TestDependencies(t *testing.T) {
	allowed := map[string]bool{
		"github.com/encseal/encseal":         true,
		"lukechampine.com/blake3":            true,
		"github.com/klauspost/cpuid/v2":      true,
		"golang.org/x/sync":                  true,
		"golang.org/x/sys":                   true,
		"filippo.io/edwards25519":            true,
		"github.com/go-json-experiment/json": true,
	}
	for _, tags := range []string{"", "purego"} {
		out, err := exec.Command("go", "list", "-deps", "-tags="+tags, "-f", "{{with .Module}}{{.Path}}{{end}}",
			"github.com/encseal/encseal/engine/...").Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		modules := strings.Fields(string(out))
		if len(modules) == 0 {
			t.Fatal("go list named no module")
		}
		for _, module := range modules {
			if !allowed[module] {
				t.Errorf("engine/... compiles %s", module)
				allowed[module] = true // once
			}
		}
	}
}
