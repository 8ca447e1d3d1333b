package main

import (
	"errors"
	"fmt"
	"net/netip"

	"wavedeck/handlers/web"
)

// embedFlags say which other sites may show parts of the console, and through
// which proxies it is reached.
type embedFlags struct {
	EmbedOrigins []origin   `placeholder:"ORIGIN" group:"embed" help:"Sites whose pages may frame parts of the console and read its fragments and JSON, such as https://portal.example. Repeatable."`
	CORSOrigins  []origin   `name:"cors-origins" placeholder:"ORIGIN" group:"embed" help:"Sites whose pages may read fragments and JSON, if other than --embed-origins. Repeatable."`
	EmbedKey     []embedKey `placeholder:"KEY" group:"embed" help:"The secret that signs embed tokens, at least 32 characters. Repeatable: the first one signs, all are accepted. Set it in the environment. Default: a secret of the console that changes every week."`
	PublicURL    origin     `name:"public-url" placeholder:"ORIGIN" group:"embed" help:"The address at which people reach the console, such as https://wave.example, for links on other sites. Default: the address of each request."`
	TrustedProxy []proxy    `placeholder:"CIDR" group:"embed" help:"Proxies whose X-Forwarded-For, -Prefix, -Proto and -Host are trusted, such as 127.0.0.1/32. Repeatable."`
}

func (f embedFlags) config() web.EmbedConfig {
	c := web.EmbedConfig{PublicOrigin: string(f.PublicURL)}
	for _, o := range f.EmbedOrigins {
		c.Origins = append(c.Origins, string(o))
	}
	for _, o := range f.CORSOrigins {
		c.CORSOrigins = append(c.CORSOrigins, string(o))
	}
	for _, key := range f.EmbedKey {
		c.Keys = append(c.Keys, string(key))
	}
	return c
}

func (f embedFlags) proxies() []netip.Prefix {
	known := make([]netip.Prefix, len(f.TrustedProxy))
	for i, p := range f.TrustedProxy {
		known[i] = netip.Prefix(p)
	}
	return known
}

// origin is scheme, name and port of a site, as a browser writes it.
type origin string

// UnmarshalText refuses patterns: a list of exact origins is one that can be read.
func (o *origin) UnmarshalText(text []byte) error {
	parsed, err := web.ParseOrigin(string(text))
	if err != nil {
		return fmt.Errorf("%q is %w, exact and without a path", clip(string(text)), err)
	}
	*o = origin(parsed)
	return nil
}

// embedKey is a secret.
type embedKey string

// UnmarshalText refuses what could be guessed; it never shows it.
func (k *embedKey) UnmarshalText(text []byte) error {
	if len(text) < 32 {
		return errors.New("the key has fewer than 32 characters; generate one with `openssl rand -base64 32`")
	}
	*k = embedKey(text)
	return nil
}

// proxy is the network that proxies are in.
type proxy netip.Prefix

// UnmarshalText takes a network, or one address.
func (p *proxy) UnmarshalText(text []byte) error {
	if addr, err := netip.ParseAddr(string(text)); err == nil {
		*p = proxy(netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
		return nil
	}
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a network such as 10.0.0.0/8", clip(string(text)))
	}
	*p = proxy(prefix.Masked())
	return nil
}
