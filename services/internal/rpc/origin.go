package rpc

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// sameSite keeps web pages of other origins from driving the service.
//
// Without tokens it trusts everybody on this machine, so the Host must be a
// loopback name or address (a rebound DNS name is not). With tokens any Host
// will do: a page that was rebound to this address has no token, and browsers
// add none by themselves. An Origin, if there is one, must be loopback, the
// public address, or, with tokens, the Host itself.
func (d *Door) sameSite(w http.ResponseWriter, r *http.Request) bool {
	if d.tokens == nil && !isLoopback(r.Host) {
		http.Error(w, "this address is not served here", http.StatusMisdirectedRequest)
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	known := err == nil && len(origins) == 1 && u.Host != "" && (isLoopback(u.Host) ||
		d.tokens != nil && strings.EqualFold(u.Host, r.Host) ||
		d.public != nil && strings.EqualFold(u.Scheme, d.public.Scheme) && strings.EqualFold(u.Host, d.public.Host))
	if !known {
		http.Error(w, "requests from this origin are refused", http.StatusForbidden)
	}
	return known
}

func isLoopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
