package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

type keygenCmd struct {
	Output string `short:"o" required:"" placeholder:"PEM" help:"File to write the private key to. It must not exist."`
}

func (*keygenCmd) Help() string {
	return `
Makes an Ed25519 key and writes it as PKCS#8 PEM, which OpenSSL reads, to a new file of mode 0600. It never overwrites. The
public half, ed25519: and 64 hexadecimal digits, goes to standard output: give it to everybody who is to check.

One key, one role: a notary's key signs for one app in one place and in one scheme, and is never a producer's key.

Example:

	encseal keygen -o notary.pem
`
}

func (c *keygenCmd) Run(con *console) error {
	signer, err := sign.GenerateSigner()
	if err != nil {
		return err
	}
	if err := sign.WriteKeyFile(c.Output, signer); err != nil {
		return err
	}
	return con.print(signer.PublicKey().String() + "\n")
}

type pubkeyCmd struct {
	File string `arg:"" name:"pem" help:"Key file: a private key as keygen writes it, or a public key."`
}

func (*pubkeyCmd) Help() string {
	return `
Prints the public half of a key file as ed25519: and 64 hexadecimal digits, the text that --pub takes.

Example:

	encseal pubkey notary.pem
`
}

func (c *pubkeyCmd) Run(con *console) error {
	key, err := sign.ReadPublicKey(c.File)
	if err != nil {
		return keyError(err, refused)
	}
	return con.print(key.String() + "\n")
}

// publicKey reads the public key that a flag names.
func publicKey(flag, arg string) (sign.PublicKey, error) {
	key, err := sign.ReadPublicKey(arg)
	if err != nil {
		return key, keyError(fmt.Errorf("%s: %w", flag, err), usage)
	}
	return key, nil
}

// producerKeys reads what --producer-key names: a key with or without the head of its chain, or a PEM file.
func producerKeys(args []string) ([]logblock.ProducerKey, error) {
	var keys []logblock.ProducerKey
	for _, arg := range args {
		var key logblock.ProducerKey
		var err error
		if strings.HasPrefix(arg, "ed25519:") {
			key, err = logblock.ParseProducerKey(arg)
		} else {
			key.Key, err = sign.ReadPublicKey(arg)
		}
		if err != nil {
			return nil, keyError(fmt.Errorf("--producer-key: %w", err), usage)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// keyError ends the command with I/O's code where the system failed to hand the file over, and as otherwise says where
// what is in it is no key.
func keyError(err error, otherwise func(string, ...any) error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	return otherwise("%w", err)
}
