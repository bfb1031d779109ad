package runner

import (
	"crypto/sha256"

	"google.golang.org/protobuf/proto"
)

// Digest is the SHA-256 of a request without its id, so that the same id with
// another payload is told apart.
func Digest(request proto.Message) ([]byte, error) {
	clone := proto.Clone(request)
	r := clone.ProtoReflect()
	r.Clear(r.Descriptor().Fields().ByName("request_id"))
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(clone)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}
