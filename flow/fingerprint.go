package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
)

// Fingerprint returns the SHA-256 of the files of the network in the folder dir, or of the built-in network if dir is empty. Networks
// with the same fingerprint give the same flow. The error wraps ErrNetwork.
func Fingerprint(dir string) (string, error) {
	folder := networkFolder(dir)
	sum := sha256.New()
	for _, precision := range []Precision{FP32, FP16} {
		for _, graph := range []string{"encoder", "decoder"} {
			name := precision.graphFile(graph)
			data, err := fs.ReadFile(folder, name)
			if errors.Is(err, fs.ErrNotExist) && precision == FP16 {
				continue
			}
			if err != nil {
				return "", addNetwork(dir, fileError(name, err))
			}
			one := sha256.Sum256(data)
			sum.Write(one[:])
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
