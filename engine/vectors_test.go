package engine_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/engine/sink"
)

const testdata = "../testdata"

// A Notary that is fed the vectors' receipts writes the vectors' LogBlocks, byte for byte, in both schemes.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(testdata, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var about map[string]json.RawMessage
	if err := json.Unmarshal(raw, &about); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"encseal-1", "my-app", "edge", "bpi-1"} {
		t.Run(name, func(t *testing.T) {
			var v struct {
				Scheme      string `json:"scheme"`
				App         string `json:"app"`
				MaxReceipts int    `json:"max_receipts"`
				NotarySeed  string `json:"notary_seed"`
			}
			if err := json.Unmarshal(about[name], &v); err != nil {
				t.Fatal(err)
			}
			var seed [32]byte
			if n, err := hex.Decode(seed[:], []byte(v.NotarySeed)); n != 32 || err != nil {
				t.Fatalf("seed %q", v.NotarySeed)
			}
			var got bytes.Buffer
			n := start(t, engine.Config{
				App: v.App, Scheme: v.Scheme, MaxReceipts: v.MaxReceipts,
				Signer: sign.NewSigner(&seed), Sink: sink.NewWriter(&got),
			})
			feed(t, n, filepath.Join(testdata, name+".receipts.ndjson"))
			closeNotary(t, n)
			want, err := os.ReadFile(filepath.Join(testdata, name+".blocks.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want)
			}
		})
	}
}

func feed(t *testing.T, n *engine.Notary, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var p receipt.Parser
	var r receipt.Receipt
	for lines := receipt.NewLines(f); ; {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Parse(line, &r); err != nil {
			t.Fatalf("line %d: %v", lines.Line(), err)
		}
		if _, err := n.Append(background, &r); err != nil {
			t.Fatalf("line %d: %v", lines.Line(), err)
		}
	}
}
