package money

import "errors"

// ErrCurrency means that the text is not a currency this product accepts.
var ErrCurrency = errors.New("the currency is not an active ISO 4217 code in capital letters")

// Currency is an ISO 4217 alphabetic code. The zero value means no currency.
type Currency [3]byte

// ParseCurrency accepts the active codes of ISO 4217 list one, in capital
// letters. Codes that name no money are refused: metals (XAU and others), bond
// market units (XBA to XBD), the test code XTS and XXX. The error is ErrCurrency.
func ParseCurrency(code string) (Currency, error) {
	if len(code) != len(Currency{}) {
		return Currency{}, ErrCurrency
	}
	c := Currency{code[0], code[1], code[2]}
	if _, known := active[c]; !known {
		return Currency{}, ErrCurrency
	}
	return c, nil
}

// String returns the three letters, or "" for the zero value.
func (c Currency) String() string {
	if c.IsZero() {
		return ""
	}
	return string(c[:])
}

// IsZero reports whether no currency is set.
func (c Currency) IsZero() bool { return c == Currency{} }

// MarshalText returns the three letters, or nothing for the zero value.
func (c Currency) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText parses a code. Empty text gives the zero value.
func (c *Currency) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = Currency{}
		return nil
	}
	parsed, err := ParseCurrency(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}

// activeCodes is ISO 4217 list one as in force on 2026-01-01, without the codes
// that ParseCurrency documents as refused.
const activeCodes = "" +
	"AEDAFNALLAMDAOAARSAUDAWGAZNBAMBBDBDTBHDBIFBMDBNDBOBBOVBRLBSDBTNBWPBYNBZD" +
	"CADCDFCHECHFCHWCLFCLPCNYCOPCOUCRCCUPCVECZKDJFDKKDOPDZDEGPERNETBEURFJDFKP" +
	"GBPGELGHSGIPGMDGNFGTQGYDHKDHNLHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHR" +
	"KMFKPWKRWKWDKYDKZTLAKLBPLKRLRDLSLLYDMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXN" +
	"MXVMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLNPYGQARRONRSDRUBRWFSARSBD" +
	"SCRSDGSEKSGDSHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTNDTOPTRYTTDTWDTZSUAHUGX" +
	"USDUSNUYIUYUUYWUZSVEDVESVNDVUVWSTXADXAFXCDXCGXDRXOFXPFXSUXUAYERZARZMWZWG"

var active = func() map[Currency]struct{} {
	set := make(map[Currency]struct{}, len(activeCodes)/3)
	for i := 0; i+3 <= len(activeCodes); i += 3 {
		set[Currency{activeCodes[i], activeCodes[i+1], activeCodes[i+2]}] = struct{}{}
	}
	return set
}()
