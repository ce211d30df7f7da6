package main

import (
	"fmt"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

type sealCmd struct {
	App         string        `placeholder:"APP" help:"App to seal for; without it, the app of the chain given by --after, else of the first receipt. With --dir and without it, each app has its chain."`
	Dir         string        `placeholder:"DIR" help:"Data directory: keeps receipts and chains through any crash, and continues where they stood. Made where it is missing."`
	HeadFile    string        `placeholder:"FILE" help:"With --dir: a file outside of DIR and of its backups, made with the first run, by which a DIR put back from an old copy is noticed and refused: it would sign other LogBlocks at heights that are used up."`
	NewHead     bool          `help:"Make the file of --head-file anew where it is lost. Only where DIR is certainly no old copy."`
	Retain      string        `placeholder:"BYTES" help:"With --dir: how much is kept at least, as 500M or 10G (powers of 1024); older receipts that are sealed and printed are dropped, LogBlocks are not. Without it all is kept."`
	Dedup       int           `placeholder:"N" help:"With --dir: do not take a receipt again that is among the last N of its app, byte for byte. Some 100 bytes of memory each."`
	MaxApps     int           `default:"1000" placeholder:"N" help:"Apps in DIR (default ${default})."`
	Key         string        `placeholder:"PEM" help:"The notary's private key; without it, a key is made for this run and forgotten."`
	After       string        `placeholder:"BLOCKS" help:"Continue the chain in this file of LogBlocks, after checking it whole."`
	Head        []string      `sep:"none" placeholder:"HEIGHT:blake3:HEX" help:"A LogBlock that must be in the chain given by --after: the head that verify said to keep. Repeatable."`
	Pub         string        `placeholder:"KEY" help:"Key that the chain given by --after begins under, where that is not --key but one that handed over to it: ed25519:HEX or a PEM file."`
	MaxReceipts int           `default:"100" placeholder:"N" help:"Receipts in a LogBlock, 1 to 1048576 (default ${default})."`
	MaxWindow   time.Duration `default:"300s" placeholder:"TIME" help:"Longest time that a receipt waits for its LogBlock (default ${default})."`
	Scheme      string        `enum:"encseal-1,bpi-1" default:"encseal-1" placeholder:"SCHEME" help:"encseal-1 (default), or bpi-1, the original pipeline's rules."`
	Check       string        `enum:"none,strict" default:"none" placeholder:"CHECK" help:"none (default), or strict: each receipt's hash, signature and place in its producer's chain."`
	ProducerKey []string      `sep:"none" placeholder:"KEY" help:"A producer for --check strict: ed25519:HEX or a PEM file; ed25519:HEX@blake3:HEX to go on after its receipt of that hash. LogBlocks hold no producers' places, so with --after each must be given so, as the run before printed it, or with @blake3:genesis for a producer that is new to the log; with --dir, places are remembered. Repeatable."`
	OnBad       string        `enum:"stop,skip" default:"stop" placeholder:"WHAT" help:"At a line that is refused: stop (default) after sealing what stands before it, or skip it, kept in --rejects."`
	Rejects     string        `placeholder:"FILE" help:"Where --on-bad skip puts refused lines, as NDJSON with line number and reason."`
	Output      string        `short:"o" placeholder:"BLOCKS" help:"File for the LogBlocks, instead of standard output. It must be new or empty, or the file of --after; with --dir it may hold LogBlocks of that."`
	Receipts    string        `arg:"" optional:"" help:"NDJSON file of StepReceipts, a line each; - is standard input, also without it."`
}

func (*sealCmd) Help() string {
	return `
Reads StepReceipts of one app, or with --dir of many, and writes a signed LogBlock, a line of JSON, whenever --max-receipts (or 64 MiB of them)
are together or the oldest has waited --max-window. Receipts become leaves in the order in which they stand. Memory stays
flat on any input.

A key and an app have one chain, which starts at height 1. To go on with it in a later run, give the file so far to
--after; -o with the same file appends to it. Two runs that start from the same place with one key and one app sign
different LogBlocks for one height, and anybody can prove that they did.

With --after the input must begin with the receipt after those that the chain holds: what stands there again is sealed again.
It is said how many the chain holds, as in "continuing "my-app" after height 3, 300 receipts"; lines that went to --rejects are
not among them. --check strict refuses what was sealed before, once each --producer-key says where its chain stands.

With --dir nothing more is needed to go on: each chain continues where it stood, and receipts in no LogBlock yet are pending again.
What was taken is durable within moments, and no kill loses it or has anything signed twice. A LogBlock is printed when it is
durable; those that earlier runs sealed and did not print come first, wherever they go now. After a kill some come again. A file of
-o, which may be that of earlier runs, gets each once all the same; what was printed elsewhere is missing there, and "encseal export"
writes all. A full disk is waited for. One process at a time holds DIR.

After a kill, run the same command on the same input with --dedup N, N no less than the receipts in it: only what is missing is added.

SIGHUP, SIGINT and SIGTERM stop the reading; what was read is sealed, then it exits with 129, 130 or 143. A refused receipt ends
it with 1 and is named as FILE:LINE: field: reason, unless --on-bad skip. After a run that skipped lines, verify and prove take
the input without the lines that are in --rejects.

Examples:

	encseal seal receipts.ndjson
	encseal seal --key notary.pem -o blocks.ndjson receipts.ndjson
	tail -n +301 -f receipts.ndjson | encseal seal --key notary.pem --after blocks.ndjson -o blocks.ndjson
	encseal seal --dir data --head-file /var/lib/encseal/head --key notary.pem --dedup 1000000 -o blocks.ndjson receipts.ndjson

The third one goes on after 300 receipts, a line each.
`
}

// validate refuses flags that do not go together.
func (c *sealCmd) validate() error {
	switch {
	case c.MaxReceipts < 1 || c.MaxReceipts > engine.LimitMaxReceipts:
		return usage("--max-receipts is 1 to %d", engine.LimitMaxReceipts)
	case c.MaxWindow <= 0:
		return usage("--max-window is above zero")
	case c.Check == "strict" && len(c.ProducerKey) == 0:
		return usage("--check strict takes the receipts of known producers: give each by --producer-key")
	case c.Check == "none" && len(c.ProducerKey) > 0:
		return usage("--producer-key is used by --check strict alone")
	case c.OnBad == "skip" && c.Rejects == "":
		return usage("--on-bad skip needs --rejects FILE: no line is dropped")
	case c.OnBad == "stop" && c.Rejects != "":
		return usage("--rejects is used by --on-bad skip alone")
	case c.Rejects == "-":
		return usage("--rejects is a file: standard output is for LogBlocks")
	case c.After == "-":
		return usage("--after is read before the receipts, and from a file")
	case c.After != "" && c.Key == "":
		return usage("--after continues a chain with the key that it requires: give --key")
	}
	if c.After == "" && (len(c.Head) > 0 || c.Pub != "") {
		return usage("--head and --pub are about the chain that --after continues")
	}
	if err := c.validateDir(); err != nil {
		return err
	}
	return checkApp(c.App)
}

// validateDir refuses flags that do not go with --dir, or without it.
func (c *sealCmd) validateDir() error {
	switch {
	case c.MaxApps < 1:
		return usage("--max-apps is 1 or more")
	case c.Dedup < 0:
		return usage("--dedup is 0 or more")
	case c.Dir == "" && (c.HeadFile != "" || c.NewHead || c.Retain != "" || c.Dedup != 0):
		return usage("--head-file, --new-head, --retain and --dedup are about the data directory of --dir")
	case c.Dir == "":
		return nil
	case c.After != "":
		return usage("--after: --dir knows where each chain stands")
	case c.Key == "":
		return usage("--dir keeps chains, and each has one key: give --key")
	case c.NewHead && c.HeadFile == "":
		return usage("--new-head makes the file that --head-file names")
	}
	return checkHeadFile(c.Dir, c.HeadFile)
}

func (c *sealCmd) Run(con *console) error {
	if err := c.validate(); err != nil {
		return err
	}
	producers, err := producerKeys(c.ProducerKey)
	if err != nil {
		return err
	}
	signer, err := c.signer(con)
	if err != nil {
		return err
	}
	if err := c.checkProducers(producers, signer.PublicKey()); err != nil {
		return err
	}
	s := &sealing{con: con, cmd: c, config: engine.Config{
		App: c.App, Signer: signer, Scheme: c.Scheme, MaxReceipts: c.MaxReceipts, MaxWindow: c.MaxWindow, Producers: producers,
	}}
	if c.Check == "strict" {
		s.config.Check = engine.CheckStrict
		if _, err := logblock.NewProducers(producers, legacy(c.Scheme)); err != nil {
			return usage("--producer-key: %w", err)
		}
	}
	if c.Retain != "" {
		if s.retain, err = parseSize(c.Retain); err != nil {
			return usage("--retain: %w", err)
		}
	}
	if c.After != "" {
		if s.trusted, err = c.trusted(signer.PublicKey()); err != nil {
			return err
		}
	}
	return s.run()
}

// checkProducers refuses producers that this notary cannot have, and ones whose place a continued log leaves open: taken
// for ones that have not begun, they could have their whole history sealed again.
func (c *sealCmd) checkProducers(producers []logblock.ProducerKey, own sign.PublicKey) error {
	for _, p := range producers {
		if p.Key == own {
			return usage("--producer-key %v is the notary's own key: one key has one role", p.Key)
		}
		if c.After != "" && p.Head.IsZero() {
			return usage("--producer-key %v: with --after, say where its chain stands: ed25519:HEX@blake3:HEX as the last run printed it, or ed25519:HEX@blake3:genesis for a producer that is new to this log",
				p.Key)
		}
	}
	return nil
}

// trusted is what the chain of --after is checked against, and not by its own word.
func (c *sealCmd) trusted(own sign.PublicKey) (logblock.CheckerConfig, error) {
	cfg := logblock.CheckerConfig{Key: own, Scheme: c.Scheme, Legacy: legacy(c.Scheme)}
	var err error
	if c.Pub != "" {
		if cfg.Key, err = publicKey("--pub", c.Pub); err != nil {
			return cfg, err
		}
	}
	if cfg.Heads, err = parseHeads(c.Head); err != nil {
		return cfg, err
	}
	_, err = logblock.NewChecker(cfg)
	return cfg, wrongFlags(err)
}

// signer reads the notary's key, or makes one for this run and says so.
func (c *sealCmd) signer(con *console) (*sign.Signer, error) {
	if c.Key != "" {
		signer, err := sign.ReadKeyFile(c.Key)
		if err != nil {
			return nil, keyError(err, "--key: "+keyReason(err), usage)
		}
		return signer, nil
	}
	signer, err := sign.GenerateSigner()
	if err != nil {
		return nil, err
	}
	con.say("no --key: signing with a key made for this run, which nobody can continue")
	con.say("public key %v", signer.PublicKey())
	return signer, nil
}

// legacy is the rule book that a scheme needs beside encseal-1's.
func legacy(scheme string) logblock.Legacy {
	if scheme == logblock.BPI1 {
		return bpi1.Rules{}
	}
	return nil
}

// warnWeak states what scheme bpi-1 cannot promise.
func warnWeak(con *console, scheme string) {
	if scheme == logblock.BPI1 {
		fmt.Fprintf(con.err, "encseal: %s\n", bpi1.Weaknesses)
	}
}
