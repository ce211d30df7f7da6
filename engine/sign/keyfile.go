package sign

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxKeyFile is the most that is read of a key file, in bytes. A key takes some 120.
const maxKeyFile = 64 << 10

const (
	privateBlock = "PRIVATE KEY"
	publicBlock  = "PUBLIC KEY"
)

// publicHead is the DER of an Ed25519 SubjectPublicKeyInfo up to the 32 bytes of the key (RFC 8410 §4).
const publicHead = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"

// ReadKeyFile reads the private key of a PKCS#8 PEM file. An error names the path and the reason and holds nothing of
// the key. It refuses an encrypted key, any algorithm but Ed25519, a second PEM block, text around the block, a file
// over 64 KiB, and whatever is no regular file: it never waits at a pipe. Symbolic links are followed, and permissions
// are the operator's: a file that others can read is read.
func ReadKeyFile(path string) (*Signer, error) {
	block, err := readBlock(path)
	if err != nil {
		return nil, keyFileError(path, err)
	}
	s, err := privateKey(block)
	if err != nil {
		return nil, keyFileError(path, err)
	}
	return s, nil
}

// ReadPublicKey returns the public key that arg names: "ed25519:" and 64 hexadecimal digits, or else the path of a PEM
// file with a public key, or with a private one, whose public half is taken. It refuses what Check and ReadKeyFile
// refuse. A path that begins with "ed25519:" is written "./ed25519:…".
func ReadPublicKey(arg string) (PublicKey, error) {
	if strings.HasPrefix(arg, keyPrefix) {
		return ParsePublicKey(arg)
	}
	block, err := readBlock(arg)
	if err != nil {
		return PublicKey{}, keyFileError(arg, err)
	}
	k, err := publicKey(block)
	if err != nil {
		return PublicKey{}, keyFileError(arg, err)
	}
	return k, nil
}

// AppendPEM appends the key as one PEM block "PUBLIC KEY", the text of a public key file, to dst.
func (k PublicKey) AppendPEM(dst []byte) []byte {
	der := append([]byte(publicHead), k[:]...)
	return append(dst, pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: der})...)
}

// keyFileError puts the path before a reason. Where the reason is the system's, its own copy of the path goes.
func keyFileError(path string, err error) error {
	if pathErr, ok := err.(*fs.PathError); ok && pathErr.Path == path {
		err = pathErr.Err
	}
	return fmt.Errorf("sign: key file %s: %w", path, err)
}

// readBlock reads the one PEM block of a key file.
func readBlock(path string) (*pem.Block, error) {
	// Opening a pipe waits for its writer, so the file's kind is asked first.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := regular(info.Mode()); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("larger than %d bytes", maxKeyFile)
	}
	return oneBlock(data)
}

func regular(mode fs.FileMode) error {
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return errors.New("a directory")
	case mode&fs.ModeNamedPipe != 0:
		return errors.New("a pipe: a key is read from a regular file")
	default:
		return errors.New("not a regular file")
	}
}

// oneBlock returns the PEM block that data holds. The decoder passes over text and over blocks that it cannot read, so
// what it must not pass over is looked for here.
func oneBlock(data []byte) (*pem.Block, error) {
	data = bytes.TrimSpace(data)
	begin := []byte("-----BEGIN ")
	switch n := bytes.Count(data, begin); {
	case len(data) == 0:
		return nil, errors.New("empty")
	case n == 0:
		return nil, errors.New("no PEM block in it")
	case n > 1:
		return nil, errors.New("more than one PEM block")
	case !bytes.HasPrefix(data, begin):
		return nil, errors.New("text before its PEM block")
	}
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, errors.New("its PEM block is damaged or cut short")
	}
	if len(rest) > 0 {
		return nil, errors.New("text after its PEM block")
	}
	if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") || strings.HasPrefix(block.Type, "ENCRYPTED ") {
		return nil, errors.New("the key is encrypted; this makes a plain copy: openssl pkey -in FILE -out COPY")
	}
	if len(block.Headers) > 0 {
		return nil, errors.New("PEM headers, which a PKCS#8 key has not")
	}
	return block, nil
}

func privateKey(block *pem.Block) (*Signer, error) {
	switch block.Type {
	case privateBlock:
	case publicBlock:
		return nil, errors.New("a public key; its private half is needed here")
	default:
		return nil, wrongBlock(block.Type, privateBlock)
	}
	if err := oneValue(block.Bytes); err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("no PKCS#8 private key that can be read: %w", err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, wrongAlgorithm(parsed)
	}
	seed := [32]byte(key[:ed25519.SeedSize])
	defer clear(seed[:])
	return NewSigner(&seed), nil
}

func publicKey(block *pem.Block) (PublicKey, error) {
	switch block.Type {
	case publicBlock:
	case privateBlock:
		s, err := privateKey(block)
		if err != nil {
			return PublicKey{}, err
		}
		return s.PublicKey(), nil
	default:
		return PublicKey{}, wrongBlock(block.Type, publicBlock)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return PublicKey{}, fmt.Errorf("no public key that can be read: %w", err)
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return PublicKey{}, wrongAlgorithm(parsed)
	}
	k := PublicKey(key)
	if reason := k.fault(); reason != "" {
		return PublicKey{}, errors.New(reason)
	}
	return k, nil
}

// oneValue refuses bytes after the DER value of a block, which the PKCS#8 parser passes over.
func oneValue(der []byte) error {
	var value asn1.RawValue
	rest, err := asn1.Unmarshal(der, &value)
	if err != nil {
		return errors.New("its PEM block holds no DER")
	}
	if len(rest) > 0 {
		return errors.New("bytes after the key in its PEM block")
	}
	return nil
}

func wrongBlock(got, want string) error {
	return fmt.Errorf("a PEM block %.40q, not %q", got, want)
}

func wrongAlgorithm(key any) error {
	name := "other"
	switch key.(type) {
	case *rsa.PrivateKey, *rsa.PublicKey:
		name = "RSA"
	case *ecdsa.PrivateKey, *ecdsa.PublicKey:
		name = "ECDSA"
	case *ecdh.PrivateKey, *ecdh.PublicKey:
		name = "X25519"
	}
	return fmt.Errorf("the key's algorithm is %s, not Ed25519", name)
}
