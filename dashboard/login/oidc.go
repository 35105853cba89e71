package login

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.yaml.in/yaml/v3"
	"golang.org/x/oauth2"

	"crypto/rand"

	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/directory"
)

// OIDC is single sign-on at an OpenID Connect provider.
//
//	issuer: https://sso.example.gov.cn
//	client_id: zhiban
//	secret_file: /etc/zhiban/oidc-secret
//	title: name                  # claim with the person's name
//	rules:                       # the first that fits; nobody else gets in
//	  - {claim: groups, value: zhiban-province, role: province, division: "220000"}
//	  - {claim: groups, value: zhiban-county, role: county, division_claim: division}
//	  - {claim: groups, value: zhiban-station, role: station, station_claim: station}
type OIDC struct {
	Issuer     string      `yaml:"issuer" json:"issuer"`
	ClientID   string      `yaml:"client_id" json:"client_id"`
	SecretFile string      `yaml:"secret_file" json:"secret_file"`
	Scopes     []string    `yaml:"scopes" json:"scopes"` // beside openid; profile when empty
	Title      string      `yaml:"title" json:"title"`   // "name" when empty
	Rules      []ClaimRule `yaml:"rules" json:"rules"`
}

// ClaimRule says which role and scope those have whose claim is value, or whose
// claim is a list that holds it. The scope is given, or is what another claim
// says.
type ClaimRule struct {
	Claim         string               `yaml:"claim" json:"claim"`
	Value         string               `yaml:"value" json:"value"`
	Role          access.Role          `yaml:"role" json:"role"`
	Division      schemas.DivisionCode `yaml:"division" json:"division"`
	Station       schemas.StationCode  `yaml:"station" json:"station"`
	DivisionClaim string               `yaml:"division_claim" json:"division_claim"`
	StationClaim  string               `yaml:"station_claim" json:"station_claim"`
}

// ReadOIDC reads a file of YAML or JSON and checks it.
func ReadOIDC(path string) (*OIDC, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("settings of single sign-on: %w", err)
	}
	var c OIDC
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("settings of single sign-on in %s: %w", path, err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &c, nil
}

// Validate names every setting that cannot work.
func (c *OIDC) Validate() error {
	var errs []error
	u, err := url.Parse(c.Issuer)
	local := err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
	if err != nil || u.Host == "" || u.Scheme != "https" && !(local && u.Scheme == "http") {
		errs = append(errs, fmt.Errorf("issuer %q: an https address", c.Issuer))
	}
	if c.ClientID == "" {
		errs = append(errs, errors.New("client_id is missing"))
	}
	if c.SecretFile == "" {
		errs = append(errs, errors.New("secret_file is missing: the file with the client's secret"))
	}
	if len(c.Rules) == 0 {
		errs = append(errs, errors.New("rules are missing: nobody would get in"))
	}
	for i, r := range c.Rules {
		if r.Claim == "" || r.Value == "" {
			errs = append(errs, fmt.Errorf("rule %d: claim and value are needed", i+1))
		}
		info, ok := r.Role.Info()
		division, station := r.Division != "" || r.DivisionClaim != "", r.Station != "" || r.StationClaim != ""
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("rule %d: no role %q", i+1, r.Role))
		case r.Role == access.Administrator:
		case info.OneStation && (!station || division):
			errs = append(errs, fmt.Errorf("rule %d: role %s is bound to a station: station or station_claim", i+1, r.Role))
		case !info.OneStation && (!division || station):
			errs = append(errs, fmt.Errorf("rule %d: role %s is bound to a division: division or division_claim", i+1, r.Role))
		}
	}
	return errors.Join(errs...)
}

// account is who the claims are of; ok is false for those whom no rule lets in.
func (c *OIDC) account(subject string, claims map[string]any) (a Account, ok bool) {
	for _, r := range c.Rules {
		if !holds(claims[r.Claim], r.Value) {
			continue
		}
		a = Account{Name: accountName(subject), Role: r.Role, Scope: access.Scope{Division: r.Division, Station: r.Station}}
		if r.DivisionClaim != "" {
			said, _ := claims[r.DivisionClaim].(string)
			a.Scope.Division = schemas.DivisionCode(said)
		}
		if r.StationClaim != "" {
			said, _ := claims[r.StationClaim].(string)
			a.Scope.Station = schemas.StationCode(said)
		}
		if a.Title, _ = claims[orElse(c.Title, "name")].(string); a.Title == "" {
			a.Title = a.Name
		}
		bound := r.Role == access.Administrator || a.Scope != access.Scope{}
		return a, bound
	}
	return Account{}, false
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func holds(claim any, value string) bool {
	switch c := claim.(type) {
	case string:
		return c == value
	case []any:
		for _, one := range c {
			if one == value {
				return true
			}
		}
	}
	return false
}

// External is what the names of accounts from the provider begin with; no local
// account's name does.
const External = directory.External

var plainSubject = regexp.MustCompile(`^[a-z0-9._@-]{1,58}$`)

// accountName is made of the provider's subject, which stays the same when a
// person's name changes and never becomes another's.
func accountName(subject string) string {
	if plainSubject.MatchString(subject) {
		return External + subject
	}
	sum := sha256.Sum256([]byte(subject))
	return External + "." + hex.EncodeToString(sum[:16])
}

// provider is the OpenID provider, asked about itself at the first login: it may
// be away when the platform starts.
type provider struct {
	config *OIDC
	mu     sync.Mutex
	known  *oidc.Provider
}

func (p *provider) get(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		known, err := oidc.NewProvider(oidc.ClientContext(ctx, providerClient), p.config.Issuer)
		if err != nil {
			return nil, &schemas.Error{Kind: schemas.Unavailable, Message: "the sign-on service does not answer", Err: err}
		}
		p.known = known
	}
	return p.known, nil
}

var providerClient = &http.Client{Timeout: 10 * time.Second}

func (l *Login) oauth(known *oidc.Provider) (*oauth2.Config, error) {
	secret, err := os.ReadFile(l.cfg.OIDC.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("secret of the sign-on service: %w", err)
	}
	scopes := l.cfg.OIDC.Scopes
	if len(scopes) == 0 {
		scopes = []string{"profile"}
	}
	return &oauth2.Config{ClientID: l.cfg.OIDC.ClientID, ClientSecret: strings.TrimSpace(string(secret)), Endpoint: known.Endpoint(),
		RedirectURL: l.cfg.Origin + "/login/oidc/callback", Scopes: append([]string{oidc.ScopeOpenID}, scopes...)}, nil
}

// What a session holds between the two halves of single sign-on.
const (
	keyState    = "state"
	keyNonce    = "nonce"
	keyVerifier = "verifier"
	keyNext     = "next"
	// signOnTime is how long that may take.
	signOnTime = 10 * time.Minute
)

// toProvider sends a person to the provider.
func (l *Login) toProvider(w http.ResponseWriter, r *http.Request) {
	if l.cfg.OIDC == nil {
		l.fail(w, r, schemas.Errorf(schemas.NotFound, "single sign-on is not configured"))
		return
	}
	known, err := l.provider.get(r.Context())
	if err != nil {
		l.fail(w, r, err)
		return
	}
	client, err := l.oauth(known)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	ctx, state, nonce, verifier := r.Context(), rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	if err := l.sessions.RenewToken(ctx); err != nil {
		l.fail(w, r, err)
		return
	}
	l.sessions.Put(ctx, keyState, state)
	l.sessions.Put(ctx, keyNonce, nonce)
	l.sessions.Put(ctx, keyVerifier, verifier)
	l.sessions.Put(ctx, keyNext, access.LocalPath(r.URL.Query().Get("next")))
	if l.sessions.GetString(ctx, keyAccount) == "" {
		l.sessions.SetDeadline(ctx, l.now().Add(signOnTime))
	}
	if err := l.save(w, r); err != nil {
		l.fail(w, r, err)
		return
	}
	http.Redirect(w, r, client.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), http.StatusSeeOther)
}

// fromProvider takes a person back from the provider. A state is good once.
func (l *Login) fromProvider(w http.ResponseWriter, r *http.Request) {
	if l.cfg.OIDC == nil {
		l.fail(w, r, schemas.Errorf(schemas.NotFound, "single sign-on is not configured"))
		return
	}
	ctx, q := r.Context(), r.URL.Query()
	state, nonce, verifier, next := l.sessions.PopString(ctx, keyState), l.sessions.PopString(ctx, keyNonce), l.sessions.PopString(ctx, keyVerifier), l.sessions.PopString(ctx, keyNext)
	if state == "" {
		l.noEntry(w, r, "", "oidc: no login was begun, or it was answered before")
		return
	}
	if err := l.save(w, r); err != nil {
		l.fail(w, r, err)
		return
	}
	if subtle.ConstantTimeCompare([]byte(state), []byte(q.Get("state"))) != 1 || q.Get("code") == "" {
		l.noEntry(w, r, "", "oidc: state or code is wrong")
		return
	}
	a, err := l.exchange(ctx, q.Get("code"), nonce, verifier)
	if err == nil {
		if old, ok := l.cfg.Directory.Account(a.Name); ok && old.Disabled {
			err = schemas.Errorf(schemas.Unauthenticated, "the account is disabled")
		}
	}
	var who access.Identity
	if err == nil {
		who, err = l.cfg.Directory.External(ctx, a)
	}
	switch kind := schemas.KindOf(err); {
	case err == nil:
		l.welcome(w, r, who, "oidc", next)
	case kind == schemas.Unavailable || kind == schemas.Internal:
		l.fail(w, r, err)
	default:
		l.noEntry(w, r, a.Name, "oidc: "+err.Error())
	}
}

// exchange changes the code for the claims, and those for an account.
func (l *Login) exchange(ctx context.Context, code, nonce, verifier string) (Account, error) {
	known, err := l.provider.get(ctx)
	if err != nil {
		return Account{}, err
	}
	client, err := l.oauth(known)
	if err != nil {
		return Account{}, err
	}
	got, err := client.Exchange(oidc.ClientContext(ctx, providerClient), code, oauth2.VerifierOption(verifier))
	if err != nil {
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode < 500 {
			return Account{}, schemas.Errorf(schemas.Unauthenticated, "the provider does not take the code")
		}
		return Account{}, &schemas.Error{Kind: schemas.Unavailable, Message: "the sign-on service does not answer", Err: err}
	}
	raw, _ := got.Extra("id_token").(string)
	token, err := known.Verifier(&oidc.Config{ClientID: l.cfg.OIDC.ClientID, Now: l.now}).Verify(ctx, raw)
	if err != nil {
		return Account{}, schemas.Errorf(schemas.Unauthenticated, "the provider's token is no good: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1 {
		return Account{}, schemas.Errorf(schemas.Unauthenticated, "the provider's token is for another login")
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return Account{}, schemas.Errorf(schemas.Unauthenticated, "the provider's claims cannot be read: %w", err)
	}
	a, ok := l.cfg.OIDC.account(token.Subject, claims)
	if !ok {
		return Account{Name: accountName(token.Subject)}, schemas.Errorf(schemas.Forbidden, "no rule lets this person in")
	}
	return a, nil
}
