package sign

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteKeyFile writes the private key of s to a new file, mode 0600, as PKCS#8 PEM, and returns when file and name are
// on stable storage. It never overwrites: where path exists, be it as a dangling symbolic link, it changes nothing and
// returns an error that is fs.ErrExist. After any other error no file of its making is left.
func WriteKeyFile(path string, s *Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return fmt.Errorf("sign: key file %s: %w", path, err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der})
	write := func(f *os.File) error {
		_, err := f.Write(text)
		return err
	}
	err = createFile(path, write, syncDir)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("sign: key file %s: a key file is never overwritten: %w", path, fs.ErrExist)
	}
	if err != nil {
		return keyFileError(path, err)
	}
	return nil
}

// createFile makes a file that was not there, lets write fill it, and makes it durable. After an error of any later
// step the file is removed again.
func createFile(path string, write func(*os.File) error, syncDir func(dir string) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		f.Close() // perhaps for the second time; Windows removes no file that is open
		if rmErr := os.Remove(path); rmErr != nil {
			err = errors.Join(err, rmErr)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	// A crash before this sync returns can leave the name with a part of the key. Nobody has been told of the key yet,
	// and ReadKeyFile refuses a part.
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	// Until the directory is synced a crash may take the name away: the key must not sign before.
	return syncDir(filepath.Dir(path))
}
