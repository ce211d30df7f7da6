package sign

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needOpenSSL ends the test where there is no OpenSSL 3 or later, which signs Ed25519 from its command line: as skipped,
// or as failed where ENCSEAL_SYSTEM=1 says that the system's tools are there.
func needOpenSSL(t *testing.T) {
	t.Helper()
	version, err := exec.Command("openssl", "version").Output()
	if err == nil && strings.HasPrefix(string(version), "OpenSSL ") && version[len("OpenSSL ")] >= '3' {
		return
	}
	if os.Getenv("ENCSEAL_SYSTEM") == "1" {
		t.Fatalf("openssl 3 or later is not here, and ENCSEAL_SYSTEM=1 wants it: %q, %v", version, err)
	}
	t.Skipf("openssl 3 or later is not here: %q, %v", version, err)
}

func openssl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("openssl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestOpenSSLReadsOurs writes both key files; OpenSSL derives the public half, signs, and checks our signature.
func TestOpenSSLReadsOurs(t *testing.T) {
	needOpenSSL(t)
	dir := t.TempDir()
	s, err := GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	private, public := filepath.Join(dir, "key.pem"), filepath.Join(dir, "pub.pem")
	if err := WriteKeyFile(private, s); err != nil {
		t.Fatal(err)
	}
	text := s.PublicKey().AppendPEM(nil)
	if got := openssl(t, "pkey", "-in", private, "-pubout"); got != string(text) {
		t.Errorf("public half: got %s, want %s", got, text)
	}
	openssl(t, "pkey", "-in", private, "-check", "-noout")
	write(t, public, text)

	digests, sigs := randomDigests(1, 1), make([][64]byte, 1)
	if err := s.SignBatch(digests, sigs); err != nil {
		t.Fatal(err)
	}
	digest, sig := filepath.Join(dir, "digest"), filepath.Join(dir, "sig")
	write(t, digest, digests[0][:])
	write(t, sig, sigs[0][:])
	openssl(t, "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", digest, "-sigfile", sig)

	openssl(t, "pkeyutl", "-sign", "-inkey", private, "-rawin", "-in", digest, "-out", sig)
	if got := readFile(t, sig); string(got) != string(sigs[0][:]) {
		t.Errorf("OpenSSL's signature: got %x, want %x", got, sigs[0])
	}

	sigs[0][0] ^= 1
	write(t, sig, sigs[0][:])
	out, err := exec.Command("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin",
		"-in", digest, "-sigfile", sig).CombinedOutput()
	if err == nil {
		t.Errorf("OpenSSL takes a damaged signature: %s", out)
	}
}

// TestReadsOpenSSL reads what OpenSSL writes, and refuses its encrypted and foreign keys.
func TestReadsOpenSSL(t *testing.T) {
	needOpenSSL(t)
	dir := t.TempDir()
	private, public := filepath.Join(dir, "key.pem"), filepath.Join(dir, "pub.pem")
	openssl(t, "genpkey", "-algorithm", "ed25519", "-out", private)
	openssl(t, "pkey", "-in", private, "-pubout", "-out", public)
	s, err := ReadKeyFile(private)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{private, public} {
		if k, err := ReadPublicKey(path); err != nil || k != s.PublicKey() {
			t.Errorf("%s: got %s, %v, want %s", filepath.Base(path), k, err, s.PublicKey())
		}
	}
	digests := randomDigests(1, 2)
	digest, sig := filepath.Join(dir, "digest"), filepath.Join(dir, "sig")
	write(t, digest, digests[0][:])
	openssl(t, "pkeyutl", "-sign", "-inkey", private, "-rawin", "-in", digest, "-out", sig)
	key, theirs := s.PublicKey(), [64]byte(readFile(t, sig))
	if !Verify(&key, &digests[0], &theirs) {
		t.Errorf("OpenSSL's signature %x does not hold", theirs)
	}

	for _, c := range []struct {
		name, reason string
		args         []string
	}{
		{"encrypted", "encrypted", []string{"genpkey", "-algorithm", "ed25519", "-aes-256-cbc", "-pass", "pass:x"}},
		{"EC", `"EC PRIVATE KEY"`, []string{"ecparam", "-name", "prime256v1", "-genkey", "-noout"}},
		{"EC with parameters", "more than one", []string{"ecparam", "-name", "prime256v1", "-genkey"}},
		{"Ed448", "unknown algorithm", []string{"genpkey", "-algorithm", "ed448"}},
		{"X25519", "X25519", []string{"genpkey", "-algorithm", "x25519"}},
		{"with text", "text after", []string{"genpkey", "-algorithm", "ed25519", "-text"}},
	} {
		path := filepath.Join(dir, c.name+".pem")
		openssl(t, append(c.args, "-out", path)...)
		_, err := ReadKeyFile(path)
		wantReason(t, c.name, err, c.reason)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
