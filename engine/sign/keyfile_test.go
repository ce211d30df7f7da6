package sign

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The example keys of RFC 8410 §10: a public key, its private key, and the same in a PKCS#8 of version 2 with an
// attribute and the public half.
const (
	rfc8410Public = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`
	rfc8410Private = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
`
	rfc8410Version2 = `-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----
`
	rfc8410Key  = "ed25519:19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
	rfc8410Seed = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadKeyFile(t *testing.T) {
	for name, text := range map[string]string{
		"version 1":   rfc8410Private,
		"version 2":   rfc8410Version2,
		"white space": "\n \t\r\n" + strings.ReplaceAll(rfc8410Private, "\n", "\r\n") + "\n\n",
		"no last LF":  strings.TrimSpace(rfc8410Private),
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, text)
			s, err := ReadKeyFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.PublicKey().String(); got != rfc8410Key {
				t.Errorf("got %s, want %s", got, rfc8410Key)
			}
			if got, err := ReadPublicKey(path); got != s.PublicKey() || err != nil {
				t.Errorf("public half: got %s, %v, want %s", got, err, rfc8410Key)
			}
		})
	}
}

func TestReadPublicKey(t *testing.T) {
	for name, arg := range map[string]string{
		"text":         rfc8410Key,
		"public file":  writeFile(t, rfc8410Public),
		"private file": writeFile(t, rfc8410Private),
	} {
		if got, err := ReadPublicKey(arg); err != nil || got.String() != rfc8410Key {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, rfc8410Key)
		}
	}
	_, err := ReadPublicKey("ed25519:" + smallOrderKeys()[0])
	wantReason(t, "text of small order", err, "small order")
	small := writeFile(t, string(keyOf(t, smallOrderKeys()[0]).AppendPEM(nil)))
	k, err := ReadPublicKey(small)
	wantReason(t, "file of small order", err, "key.pem: small order")
	if k != (PublicKey{}) {
		t.Errorf("got the key %s beside an error", k)
	}
}

// foreignKeys are private and public PEM files of other algorithms.
func foreignKeys(t *testing.T) map[string][2]string {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x25519Key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pair := func(private, public any) [2]string {
		a, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		b, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		return [2]string{block("PRIVATE KEY", a), block("PUBLIC KEY", b)}
	}
	return map[string][2]string{
		"RSA":    pair(rsaKey, rsaKey.Public()),
		"ECDSA":  pair(ecdsaKey, ecdsaKey.Public()),
		"X25519": pair(x25519Key, x25519Key.Public()),
	}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// privateDER and publicDER are the bytes of the RFC 8410 examples.
func privateDER(t *testing.T) []byte { return decodePEM(t, rfc8410Private) }
func publicDER(t *testing.T) []byte  { return decodePEM(t, rfc8410Public) }

func decodePEM(t *testing.T, text string) []byte {
	t.Helper()
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		t.Fatal("no PEM block")
	}
	return b.Bytes
}

// refuse reads text as a private and as a public key file, and wants the reason of each; "" is "not tried".
func refuse(t *testing.T, name, text, privateReason, publicReason string) {
	t.Helper()
	path := writeFile(t, text)
	if privateReason != "" {
		s, err := ReadKeyFile(path)
		wantReason(t, name+", private", err, privateReason)
		wantHarmless(t, name, path, err)
		if s != nil {
			t.Errorf("%s: a signer beside an error", name)
		}
	}
	if publicReason != "" {
		k, err := ReadPublicKey(path)
		wantReason(t, name+", public", err, publicReason)
		wantHarmless(t, name, path, err)
		if k != (PublicKey{}) {
			t.Errorf("%s: the key %s beside an error", name, k)
		}
	}
}

// wantHarmless wants the path in an error, once, and nothing of the key.
func wantHarmless(t *testing.T, name, path string, err error) {
	t.Helper()
	if err == nil {
		return // reported already
	}
	if strings.Count(err.Error(), path) != 1 {
		t.Errorf("%s: got %q, want the path once", name, err)
	}
	seed, _ := hex.DecodeString(rfc8410Seed)
	for _, secret := range []string{rfc8410Seed[:16], base64.StdEncoding.EncodeToString(seed)[:16], "TuctvE", "MC4CAQ"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %q tells of the key", name, err)
		}
	}
}

func TestReadRefusesText(t *testing.T) {
	body := strings.Split(rfc8410Private, "\n")[1]
	for _, c := range []struct{ name, text, reason string }{
		{"empty", "", "empty"},
		{"white space", " \n\t\n", "empty"},
		{"no PEM", body, "no PEM block"},
		{"raw seed", rfc8410Seed, "no PEM block"},
		{"DER", string(privateDER(t)), "no PEM block"},
		{"two blocks", rfc8410Private + rfc8410Private, "more than one PEM block"},
		{"private and public", rfc8410Private + rfc8410Public, "more than one PEM block"},
		{"damaged and good", "-----BEGIN PRIVATE KEY-----\n!\n" + rfc8410Private, "more than one PEM block"},
		{"text before", "Key of the notary\n" + rfc8410Private, "text before"},
		{"text after", rfc8410Private + "garbage", "text after"},
		{"NUL after", rfc8410Private + "\x00", "text after"},
		{"cut short", rfc8410Private[:len(rfc8410Private)-10], "damaged or cut short"},
		{"no base64", "-----BEGIN PRIVATE KEY-----\n****\n-----END PRIVATE KEY-----\n", "damaged or cut short"},
		{"wrong end", strings.Replace(rfc8410Private, "END PRIVATE", "END PUBLIC", 1), "damaged or cut short"},
		{"headers", strings.Replace(rfc8410Private, "\n", "\nComment: "+body+"\n\n", 1), "PEM headers"},
		{"old encryption", strings.Replace(rfc8410Private, "\n", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n", 1), "encrypted"},
		{"encrypted", block("ENCRYPTED PRIVATE KEY", privateDER(t)), "the key is encrypted"},
		{"long kind", block(strings.Repeat("K", 1000), nil), "a PEM block \"" + strings.Repeat("K", 40) + "\","},
		{"certificate", block("CERTIFICATE", privateDER(t)), `a PEM block "CERTIFICATE", not`},
		{"OpenSSH", block("OPENSSH PRIVATE KEY", privateDER(t)), `a PEM block "OPENSSH PRIVATE KEY", not`},
		{"RSA block", block("RSA PRIVATE KEY", privateDER(t)), `a PEM block "RSA PRIVATE KEY", not`},
		{"EC block", block("EC PRIVATE KEY", privateDER(t)), `a PEM block "EC PRIVATE KEY", not`},
		{"too large", rfc8410Private + strings.Repeat("\n", maxKeyFile), "larger than 65536 bytes"},
	} {
		refuse(t, c.name, c.text, c.reason, c.reason)
	}
	refuse(t, "a public key", rfc8410Public, "a public key; its private half is needed", "")

	full := rfc8410Private + strings.Repeat("\n", maxKeyFile-len(rfc8410Private))
	if _, err := ReadKeyFile(writeFile(t, full)); err != nil {
		t.Errorf("64 KiB: %v", err)
	}
}

func TestReadRefusesDER(t *testing.T) {
	private, public := privateDER(t), publicDER(t)
	oddOID, short, params := bytes.Clone(private), bytes.Clone(private[:len(private)-1]), bytes.Clone(public)
	oddOID[11] = 113 // Ed448
	short[1]--
	short[13]--
	short[15]--
	params[8] = 0x6f // 1.3.101.111 is X448
	for _, c := range []struct {
		name            string
		der             []byte
		private, public string
	}{
		{"nothing", nil, "holds no DER", "no public key that can be read"},
		{"no DER", []byte("hello, world"), "holds no DER", "no public key that can be read"},
		{"private, trailing bytes", append(bytes.Clone(private), 0), "bytes after the key", ""},
		{"private, cut", private[:20], "holds no DER", ""},
		{"private, Ed448", oddOID, "unknown algorithm", ""},
		{"private, 31 bytes", short, "no PKCS#8 private key that can be read", ""},
		{"private block, public key", public, "no PKCS#8 private key that can be read", ""},
		{"public, trailing bytes", append(bytes.Clone(public), 0), "", "trailing data"},
		{"public, cut", public[:20], "", "no public key that can be read"},
		{"public, X448", params, "", "unknown public key algorithm"},
		{"public block, private key", private, "", "no public key that can be read"},
		{"public, 31 bytes", append([]byte("\x30\x29\x30\x05\x06\x03\x2b\x65\x70\x03\x20\x00"), public[13:]...), "", "no public key that can be read"},
	} {
		if c.private != "" {
			refuse(t, c.name, block("PRIVATE KEY", c.der), c.private, c.private)
		}
		if c.public != "" {
			refuse(t, c.name, block("PUBLIC KEY", c.der), "", c.public)
		}
	}
	for name, files := range foreignKeys(t) {
		reason := "the key's algorithm is " + name + ", not Ed25519"
		refuse(t, name, files[0], reason, reason)
		refuse(t, name, files[1], "", reason)
	}
}

func TestReadRefusesFiles(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadKeyFile(dir)
	wantReason(t, "directory", err, "a directory")
	wantHarmless(t, "directory", dir, err)
	missing := filepath.Join(dir, "missing.pem")
	for _, read := range []func(string) error{
		func(p string) error { _, err := ReadKeyFile(p); return err },
		func(p string) error { _, err := ReadPublicKey(p); return err },
	} {
		err := read(missing)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("missing file: got %v, want fs.ErrNotExist", err)
		}
		wantHarmless(t, "missing file", missing, err)
	}
	if _, err := ReadPublicKey(""); err == nil {
		t.Error("empty argument: no error")
	}
}

func TestWriteKeyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "notary.pem")
	seed := [32]byte(keyOf(t, rfc8410Seed))
	s := NewSigner(&seed)
	if err := WriteKeyFile(path, s); err != nil {
		t.Fatal(err)
	}
	text := readFile(t, path)
	if string(text) != rfc8410Private {
		t.Errorf("not the text of RFC 8410 (%d bytes)", len(text))
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode: got %v, %v, want -rw-------", info.Mode(), err)
	}
	again, err := ReadKeyFile(path)
	if err != nil || again.PublicKey() != s.PublicKey() {
		t.Errorf("read again: got %v, %v, want %v", again, err, s)
	}

	err = WriteKeyFile(path, NewSigner(&[32]byte{9}))
	wantReason(t, "second write", err, "never overwritten")
	wantHarmless(t, "second write", path, err)
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("second write: got %v, want fs.ErrExist", err)
	}
	if !bytes.Equal(readFile(t, path), text) {
		t.Error("second write: the file has changed")
	}
	wantNames(t, dir, "notary.pem")
}

func TestWriteKeyFileNoDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "notary.pem")
	err := WriteKeyFile(path, NewSigner(&[32]byte{9}))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	wantHarmless(t, "no directory", path, err)
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("directory holds %q, want %q", got, want)
	}
}

// TestCreateFileFails fails each step after the creation and wants no file left.
func TestCreateFileFails(t *testing.T) {
	full, gone := errors.New("no space left"), errors.New("no such medium")
	half := func(f *os.File) error {
		if _, err := f.WriteString("-----BEGIN PRIV"); err != nil {
			t.Error(err)
		}
		return full
	}
	whole := func(f *os.File) error { _, err := f.WriteString("text"); return err }
	closed := func(f *os.File) error { return f.Close() } // Sync fails then
	noSync := func(string) error { return nil }
	for name, c := range map[string]struct {
		write func(*os.File) error
		sync  func(string) error
		want  error
	}{
		"write":          {half, noSync, full},
		"file sync":      {closed, noSync, fs.ErrClosed},
		"directory sync": {whole, func(string) error { return gone }, gone},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := createFile(filepath.Join(dir, "key.pem"), c.write, c.sync); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			wantNames(t, dir)
		})
	}
	t.Run("file already gone", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "key.pem")
		err := createFile(path, whole, func(string) error { return errors.Join(gone, os.Remove(path)) })
		if !errors.Is(err, gone) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want both errors", err)
		}
	})
	t.Run("somebody else's file", func(t *testing.T) {
		path := writeFile(t, "theirs")
		if err := createFile(path, half, noSync); !errors.Is(err, fs.ErrExist) {
			t.Errorf("got %v, want fs.ErrExist", err)
		}
		if got := string(readFile(t, path)); got != "theirs" {
			t.Errorf("their file holds %q", got)
		}
	})
	t.Run("the directory's name", func(t *testing.T) {
		dir := t.TempDir()
		var synced string
		err := createFile(filepath.Join(dir, "key.pem"), whole, func(d string) error { synced = d; return nil })
		if err != nil || synced != dir {
			t.Errorf("synced %q, %v, want %q", synced, err, dir)
		}
	})
}
