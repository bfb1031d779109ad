package personal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
)

const (
	prefix    = "enc:1:"
	keyIDSize = 8
	keySize   = 32
	nonceSize = 12
	tagSize   = 16
)

// Markers stand where a text cannot be read. They are words of the API: nobody
// may declare them.
const (
	// Erased: the key was destroyed, for ever.
	Erased = "[erased]"
	// Unavailable: the keys cannot be reached now.
	Unavailable = "[unavailable]"
	// Unreadable: there is no such key here, or the text was tampered with.
	Unreadable = "[unreadable]"
)

// IsMarker tells whether a text is one of the markers.
func IsMarker(text string) bool { return text == Erased || text == Unavailable || text == Unreadable }

// Place is where a text stands. A sealed text opens only there.
type Place struct {
	Org string
	// Of is what the text is part of: service.kind.id of an aggregate, or
	// request.id.
	Of string
	// Field is the full name of the field in its message.
	Field string
}

// Key is one key of one holder.
type Key struct {
	ID     string // 16 hexadecimal digits
	secret [keySize]byte
	aead   cipher.AEAD
}

// NewKey makes a random key.
func NewKey() *Key {
	var id [keyIDSize]byte
	var secret [keySize]byte
	_, _ = rand.Read(id[:]) // never fails
	_, _ = rand.Read(secret[:])
	return newKey(hex.EncodeToString(id[:]), secret)
}

// ParseKey makes a key of its id and its secret, as Secret gives it.
func ParseKey(id string, secret []byte) (*Key, error) {
	if b, err := hex.DecodeString(id); err != nil || len(b) != keyIDSize || id != strings.ToLower(id) {
		return nil, errors.New("a key's id is 16 hexadecimal digits")
	}
	if len(secret) != keySize {
		return nil, errors.New("a key has 32 bytes")
	}
	return newKey(id, [keySize]byte(secret)), nil
}

func newKey(id string, secret [keySize]byte) *Key {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		panic("personal: " + err.Error()) // the size is right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("personal: " + err.Error()) // AES has the block size of GCM
	}
	return &Key{ID: id, secret: secret, aead: aead}
}

// Secret is the key itself, for who keeps it.
func (k *Key) Secret() []byte { return append([]byte(nil), k.secret[:]...) }

// String keeps the secret out of logs.
func (k *Key) String() string { return "key " + k.ID }

// GoString does so for %#v.
func (k *Key) GoString() string { return k.String() }

// Digest is a keyed digest of a digest: of a request that holds personal text,
// which could else be guessed from it.
func (k *Key) Digest(org string, plain []byte) []byte {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write(bound("setpoint request digest", org))
	mac.Write(plain)
	return mac.Sum(nil)
}

// Seal encrypts a text of the key's holder for a place.
func (k *Key) Seal(h Holder, at Place, text string) string {
	id, _ := hex.DecodeString(k.ID) // checked when made
	b := make([]byte, keyIDSize+nonceSize, keyIDSize+nonceSize+len(text)+tagSize)
	copy(b, id)
	_, _ = rand.Read(b[keyIDSize:]) // never fails
	b = k.aead.Seal(b, b[keyIDSize:], []byte(text), k.binding(h, at))
	return prefix + string(h) + ":" + base64.RawURLEncoding.EncodeToString(b)
}

func (k *Key) binding(h Holder, at Place) []byte {
	return bound("setpoint personal text 1", at.Org, at.Of, at.Field, string(h), k.ID)
}

// bound joins parts so that no two lists of them look the same.
func bound(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}

// IsSealed tells whether a stored text is sealed, whether or not it opens.
func IsSealed(text string) bool { return strings.HasPrefix(text, prefix) }

// sealed is a sealed text taken apart.
type sealed struct {
	holder Holder
	keyID  string
	nonce  []byte
	body   []byte
}

var errMalformed = errors.New("the sealed text is malformed")

func parse(text string) (sealed, error) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return sealed{}, errMalformed
	}
	holder, coded, ok := strings.Cut(rest, ":")
	h := Holder(holder)
	if !ok || !h.Valid() {
		return sealed{}, errMalformed
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(coded)
	if err != nil || len(b) < keyIDSize+nonceSize+tagSize {
		return sealed{}, errMalformed
	}
	return sealed{
		holder: h, keyID: hex.EncodeToString(b[:keyIDSize]),
		nonce: b[keyIDSize : keyIDSize+nonceSize], body: b[keyIDSize+nonceSize:],
	}, nil
}

// open decrypts; the error says nothing on purpose.
func (k *Key) open(s sealed, at Place) (string, error) {
	text, err := k.aead.Open(nil, s.nonce, s.body, k.binding(s.holder, at))
	return string(text), err
}

// HolderOf is whose key a sealed text needs; "" if it is malformed.
func HolderOf(text string) Holder {
	s, _ := parse(text)
	return s.holder
}
