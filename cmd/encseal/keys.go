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
	if c.Output == "-" {
		return usage("-o is a file: a private key is not for standard output")
	}
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
		return keyError(err, keyReason(err), refused)
	}
	return con.print(key.String() + "\n")
}

// keyForms says what a flag takes that was given something else.
const keyForms = "ed25519: and 64 lower-case hexadecimal digits, or a PEM file"

// publicKey reads the public key that a flag names.
func publicKey(flag, arg string) (sign.PublicKey, error) {
	key, err := sign.ReadPublicKey(arg)
	if err != nil {
		return key, keyError(err, fmt.Sprintf("%s: %s; it takes %s", flag, keyReason(err), keyForms), usage)
	}
	return key, nil
}

// producerKeys reads what --producer-key names: a key or a PEM file, with or without the head of its chain.
func producerKeys(args []string) ([]logblock.ProducerKey, error) {
	var keys []logblock.ProducerKey
	for _, arg := range args {
		key, err := producerKey(arg)
		if err != nil {
			return nil, keyError(err, fmt.Sprintf("--producer-key: %s; it takes %s, and @blake3:HEX after either", keyReason(err), keyForms), usage)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func producerKey(arg string) (logblock.ProducerKey, error) {
	if strings.HasPrefix(arg, "ed25519:") {
		return logblock.ParseProducerKey(arg)
	}
	path, head := arg, ""
	if i := strings.LastIndex(arg, "@blake3:"); i >= 0 {
		path, head = arg[:i], arg[i:]
	}
	key, err := sign.ReadPublicKey(path)
	if err != nil {
		return logblock.ProducerKey{}, err
	}
	return logblock.ParseProducerKey(key.String() + head)
}

// keyError ends the command with text: with I/O's code where err is that the system failed to hand the file over, and as
// otherwise says where what is in it is no key.
func keyError(err error, text string, otherwise func(string, ...any) error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return errors.New(text)
	}
	return otherwise("%s", text)
}

// keyReason is the text of an error about a key without the names of the packages that it came through.
func keyReason(err error) string {
	text := err.Error()
	for _, prefix := range []string{"logblock: producer key: ", "logblock: producer key ", "sign: public key: ", "sign: key file "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}
