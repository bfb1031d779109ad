package logging

import (
	"context"
	"crypto/rand"
)

// maxRequestID bounds an id that a client brings.
const maxRequestID = 64

type requestKey struct{}

// WithRequestID is a context of a request. Its id is the client's where that
// is sane, so that the logs of both can be read together, and a new one
// elsewhere. It is not the request_id of a command, which stays in the log.
func WithRequestID(ctx context.Context, offered string) (context.Context, string) {
	id := offered
	if !sane(id) {
		id = rand.Text()
	}
	return context.WithValue(ctx, requestKey{}, id), id
}

// RequestID is the id of the request that a context belongs to, "" if none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// sane tells whether an id cannot be mistaken for anything else in a line of a
// log, or in a shell that greps for it.
func sane(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '-' || c == '_' || c == '.'):
		default:
			return false
		}
	}
	return true
}
