package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

type checkCmd struct {
	Pub         string `required:"" placeholder:"KEY" help:"The notary's public key that you trust: ed25519:HEX or a PEM file."`
	ProducerKey string `placeholder:"KEY" help:"The producer's public key: check the receipt's own hash and signature too."`
	Scheme      string `enum:"encseal-1,bpi-1" default:"encseal-1" placeholder:"SCHEME" help:"encseal-1 (default), or bpi-1: judge LogBlocks of the original pipeline's rules too, in evidence."`
	Proof       string `arg:"" optional:"" help:"Proof or evidence; - is standard input, also without it."`
}

func (*checkCmd) Help() string {
	return `
Takes what "encseal prove" prints, and says if it holds: that the notary whose key you trust has sealed this receipt, at this
place of this LogBlock. It needs no network and no log.

Takes evidence as well: two LogBlocks of one app and height, both signed by the notary, that say different things. Evidence that
holds proves that the notary equivocated. LogBlocks of scheme bpi-1 are judged only when asked for by --scheme.

Examples:

	encseal check --pub ed25519:… proof.json
	encseal check --pub notary.pem --producer-key ed25519:… proof.json
`
}

func (c *checkCmd) Run(con *console) error {
	warnWeak(con, c.Scheme)
	key, err := publicKey("--pub", c.Pub)
	if err != nil {
		return err
	}
	var producer *sign.PublicKey
	if c.ProducerKey != "" {
		p, err := publicKey("--producer-key", c.ProducerKey)
		if err != nil {
			return err
		}
		if p == key {
			return usage("--producer-key is the notary's key: one key has one role")
		}
		producer = &p
	}
	in, err := con.open(c.Proof, "a proof")
	if err != nil {
		return err
	}
	defer in.Close()
	data, err := in.readAll(logblock.MaxText)
	if err != nil {
		return err
	}
	return c.check(con, in.name, data, key, producer)
}

// check prints the verdict on a proof or on evidence.
func (c *checkCmd) check(con *console, name string, data []byte, key sign.PublicKey, producer *sign.PublicKey) error {
	kind, err := logblock.Kind(data)
	if err != nil {
		return refused("%s: %s", name, detail(err))
	}
	switch kind {
	case logblock.ProofFile:
		if c.Scheme == logblock.BPI1 {
			return usage("--scheme bpi-1: that scheme has no proofs")
		}
		proof, err := logblock.ParseProof(data)
		if err == nil {
			err = proof.Check(key)
		}
		if err != nil {
			return c.fails(con, "inclusion proof", name, err)
		}
		if producer != nil {
			if proof.Receipt == nil {
				return usage("--producer-key: the leaf of this proof is not a receipt, and has no producer")
			}
			if err := proof.Receipt.Verify(producer[:]); err != nil {
				return c.fails(con, "inclusion proof", name, fmt.Errorf("receipt: %w", err))
			}
		}
		return con.print(proofFacts(proof, key, producer))
	default: // logblock.EvidenceFile
		if producer != nil {
			return usage("--producer-key: evidence holds no receipt to check with it")
		}
		evidence, err := logblock.ParseEvidence(data)
		if err == nil {
			err = c.asked(evidence)
		}
		if err == nil {
			err = evidence.Check(key, legacy(c.Scheme))
		}
		if err != nil {
			return c.fails(con, "evidence", name, err)
		}
		return con.print(evidenceFacts(evidence, key))
	}
}

// asked refuses evidence that needs the rules of a scheme nobody asked for.
func (c *checkCmd) asked(e *logblock.Evidence) error {
	for i := range e.Blocks {
		if e.Blocks[i].Scheme == logblock.BPI1 && c.Scheme != logblock.BPI1 {
			return errors.New("a LogBlock of scheme bpi-1, which is judged only when asked for: --scheme bpi-1")
		}
	}
	return nil
}

// fails prints a verdict that is not good, and ends with its code.
func (c *checkCmd) fails(con *console, kind, name string, err error) error {
	if err := con.print(fmt.Sprintf("NOT OK: %s: %s: %s\n", name, kind, detail(err))); err != nil {
		return err
	}
	return &exitError{code: exitRefused}
}

func proofFacts(p *logblock.Proof, key sign.PublicKey, producer *sign.PublicKey) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ok: inclusion proof: the notary sealed this %s\n", sealedWhat(p))
	fmt.Fprintf(&b, "app: %q\n", p.Block.App)
	fmt.Fprintf(&b, "height: %d\n", p.Block.Height)
	fmt.Fprintf(&b, "index: %d of %d\n", p.Index, p.Block.Count)
	if p.Receipt != nil {
		fmt.Fprintf(&b, "receipt: %s\n", shownHash(p.Receipt.Hash))
	} else {
		fmt.Fprintf(&b, "leaf: %d bytes\n", len(p.Leaf))
	}
	fmt.Fprintf(&b, "notary: %v\n", key)
	if producer != nil {
		fmt.Fprintf(&b, "producer: checked, hash and signature of %v\n", *producer)
	} else {
		fmt.Fprintf(&b, "producer: not checked\n")
	}
	return b.String()
}

// shownHash is a hash as a verdict can carry it. A producer is free in what it calls its hash, line feeds included.
func shownHash(h receipt.Hash) string {
	if _, ok := h.Digest(); ok || h == receipt.Genesis() {
		return h.String()
	}
	return strconv.Quote(h.String())
}

func sealedWhat(p *logblock.Proof) string {
	if p.Receipt == nil {
		return "leaf, which is not a receipt"
	}
	return "receipt"
}

func evidenceFacts(e *logblock.Evidence, key sign.PublicKey) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ok: evidence: the notary equivocated, it signed two LogBlocks for one height\n")
	fmt.Fprintf(&b, "app: %q\n", e.Blocks[0].App)
	fmt.Fprintf(&b, "height: %d\n", e.Blocks[0].Height)
	for i := range e.Blocks {
		block := &e.Blocks[i]
		fmt.Fprintf(&b, "LogBlock: merkle_root blake3:%x, count %d, scheme %s\n", block.MerkleRoot, block.Count, block.Scheme)
	}
	fmt.Fprintf(&b, "notary: %v\n", key)
	return b.String()
}
