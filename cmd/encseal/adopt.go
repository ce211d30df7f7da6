package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

type adoptCmd struct {
	Dir      string `required:"" placeholder:"DIR" help:"Data directory that lacks LogBlocks: an old copy of one, or an empty directory in place of one that is lost. No notary may be running on it."`
	Blocks   string `required:"" placeholder:"FILE" help:"LogBlocks, as whoever received them has them: of each app in order of height, from the first that DIR lacks or before; - is standard input."`
	Key      string `placeholder:"PEM" help:"The notary's key file, or"`
	Pub      string `placeholder:"KEY" help:"its public key: ed25519:HEX or a PEM file."`
	HeadFile string `placeholder:"FILE" help:"The head file of DIR, which says whether the LogBlocks reach far enough."`
	Scheme   string `enum:"encseal-1,bpi-1" default:"encseal-1" placeholder:"SCHEME" help:"encseal-1 (default), or bpi-1."`
}

func (*adoptCmd) Help() string {
	return `
Brings an old copy of a data directory up to date, as one restored from a backup, with the LogBlocks that were sealed after the copy
was made. "encseal seal --dir" then goes on after them, and signs no height a second time. Receipts of the adopted LogBlocks that the
copy does not have are not in it afterwards: their senders have them.

Every LogBlock is checked before anything is changed: signature, link, and that it contradicts nothing in DIR. One that is refused
is named as FILE:LINE and ends it with 1. So do too few, where --head-file knows of more: those that there are stay adopted.

Example:

	encseal adopt --dir data --head-file /var/lib/encseal/head --pub notary.pem --blocks received.ndjson
`
}

func (c *adoptCmd) Run(con *console) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	if _, err := dataDir(c.Dir); err != nil {
		return err
	}
	if c.HeadFile != "" {
		if err := checkHeadFile(c.Dir, c.HeadFile); err != nil {
			return err
		}
		if _, err := os.Stat(c.HeadFile); err != nil {
			return err
		}
	}
	warnWeak(con, c.Scheme)
	in, err := con.open(c.Blocks, "LogBlocks")
	if err != nil {
		return err
	}
	defer in.Close()
	blocks, lines, err := readBlocks(in, c.Scheme)
	if err != nil {
		return err
	}
	done, err := engine.Adopt(engine.AdoptConfig{
		Store: engine.Store{Dir: c.Dir, Head: c.HeadFile}, Key: key, Scheme: c.Scheme,
	}, blocks)
	if bad, ok := errors.AsType[*engine.AdoptError](err); ok {
		return refused("%s:%d: block %d of %q: %s", in.name, lines[bad.Index], bad.Block.Height, bad.Block.App, detail(bad.Err))
	}
	if err != nil {
		return dirError(c.Dir, c.HeadFile, err)
	}
	return con.print(fmt.Sprintf("ok: %s: %d LogBlocks adopted, %d cuts got their signature, %d LogBlocks were there\n",
		c.Dir, done.Blocks, done.Signed, done.Known))
}

func (c *adoptCmd) key() (sign.PublicKey, error) {
	switch {
	case c.Key != "" && c.Pub != "":
		return sign.PublicKey{}, usage("--key and --pub: one of them is enough")
	case c.Key != "":
		return publicKey("--key", c.Key)
	case c.Pub != "":
		return publicKey("--pub", c.Pub)
	}
	return sign.PublicKey{}, usage("the notary's key is needed: --key or --pub")
}

// readBlocks reads LogBlocks to the end of a file, and the line of each.
func readBlocks(in *input, scheme string) (blocks []*logblock.LogBlock, at []int64, err error) {
	lines := receipt.NewLines(in)
	for {
		line, err := lines.Next()
		if err == io.EOF {
			break
		}
		if errors.Is(err, receipt.ErrLineTooLong) {
			return nil, nil, refused("%s:%d: no LogBlock: line over 1 MiB", in.name, lines.Line())
		}
		if err != nil {
			return nil, nil, in.unreadable(err)
		}
		b, err := logblock.Parse(line, scheme)
		if err != nil {
			return nil, nil, refused("%s:%d: %s", in.name, lines.Line(), detail(err))
		}
		blocks = append(blocks, b)
		at = append(at, lines.Line())
	}
	if len(blocks) == 0 {
		return nil, nil, refused("%s: no LogBlock in it", in.name)
	}
	return blocks, at, nil
}
