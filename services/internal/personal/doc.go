// Package personal keeps personal text unreadable to whoever has the log, the
// read models or a backup of them, but not the keys; and to everybody once a
// key is destroyed.
//
// A text belongs to a holder: the person it is about, or the principal who
// wrote it. Each holder of each organization has a random key of 256 bits. A
// sealed text is
//
//	enc:1:HOLDER:BASE64URL(key id, 8 bytes; nonce, 12; AES-256-GCM of the text)
//
// and is bound to its organization, its aggregate or request, its field, its
// holder and its key: moved anywhere else it does not open. Holders are opaque
// ids and stand in the clear.
//
// Invariants: a text that does not open reads as a marker, never as a wrong
// text; a holder who was erased gets no key again; keys are never logged.
//
// Read cipher.go first, then keys.go; fields.go finds the texts in messages.
// internal/keystore keeps the keys.
package personal
