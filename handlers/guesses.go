package handlers

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How often an address may be wrong: at once, and then one more in this time.
const (
	guessBurst = 5
	guessEvery = 10 * time.Second
)

// maxGuessers bounds how many addresses are remembered; who was wrong longest
// ago is forgotten first.
const maxGuessers = 4096

// guesses slows down who tries tokens.
type guesses struct {
	mu      *sync.Mutex
	byPlace map[string]*list.Element
	order   *list.List // of *guesser, wrong most recently first
}

type guesser struct {
	place string
	limit *rate.Limiter
}

func newGuesses() guesses {
	return guesses{mu: new(sync.Mutex), byPlace: map[string]*list.Element{}, order: list.New()}
}

// try counts an attempt from ip that was right or not. A wait means that the
// address is not listened to until it is over: right is false then, whatever was sent.
func (g *guesses) try(ip string, now time.Time, right bool) (bool, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	place := placeOf(ip)
	element, known := g.byPlace[place]
	if known {
		who, _ := element.Value.(*guesser)
		if left := who.limit.TokensAt(now); left < 1 {
			return false, time.Duration((1 - left) * float64(guessEvery))
		}
	}
	if right {
		return true, 0
	}
	if !known {
		element = g.order.PushFront(&guesser{place: place, limit: rate.NewLimiter(rate.Every(guessEvery), guessBurst)})
		g.byPlace[place] = element
		if g.order.Len() > maxGuessers {
			oldest, _ := g.order.Remove(g.order.Back()).(*guesser)
			delete(g.byPlace, oldest.place)
		}
	}
	g.order.MoveToFront(element)
	who, _ := element.Value.(*guesser)
	who.limit.AllowN(now, 1)
	return false, 0
}

// placeOf is what stands for an address: a machine has a whole /64 of IPv6.
func placeOf(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Is4() {
		return ip
	}
	prefix, _ := addr.Prefix(64)
	return prefix.String()
}
