export type ColumnName =
  | "prefix"
  | "country_code"
  | "price"
  | "currency"
  | "message_type"
  | "mcc"
  | "mnc"
  | "effective_from"
  | "effective_to";

/** From our columns to headers of the deck; "" is not in the deck. */
export type Columns = Readonly<Record<ColumnName, string>>;

interface DeckColumn {
  readonly name: ColumnName;
  readonly label: string;
  readonly says: string;
  /** What carriers call it, likeliest first. A word that ends with * matches headers that begin with it. */
  readonly words: readonly string[];
}

export const deckColumns: readonly DeckColumn[] = [
  {
    name: "prefix",
    label: "Prefix",
    says: "Digits; a cell may hold several and ranges.",
    words: ["prefix", "prefixes", "number prefix", "destination prefix", "destination code", "area code", "breakout", "codes", "code", "prefix*"],
  },
  { name: "country_code", label: "Country code", says: "The dial code, when the prefix is what follows it.", words: ["country code", "cc", "country dial code"] },
  {
    name: "price",
    label: "Price",
    says: "Per segment, a plain decimal.",
    words: ["price", "rate", "cost", "tariff", "new price", "new rate", "unit price", "price*", "rate*", "cost*", "tariff*"],
  },
  { name: "currency", label: "Currency", says: "ISO 4217, such as EUR.", words: ["currency", "ccy", "curr", "currency*"] },
  { name: "message_type", label: "Message type", says: "SMS, FLASH or WAP.", words: ["message type", "type", "product", "service"] },
  { name: "mcc", label: "MCC", says: "3 digits.", words: ["mcc", "mobile country code"] },
  { name: "mnc", label: "MNC", says: "2 or 3 digits; 01 is not 001.", words: ["mnc", "mobile network code"] },
  {
    name: "effective_from",
    label: "Effective from",
    says: "YYYY-MM-DD, midnight UTC, or RFC 3339.",
    words: ["effective from", "effective date", "effective", "valid from", "start date", "start", "from", "date"],
  },
  {
    name: "effective_to",
    label: "Effective to",
    says: "The first moment it counts no more.",
    words: ["effective to", "effective until", "valid to", "valid until", "expiry date", "expires", "end date", "end", "until", "to"],
  },
];

export const noColumns: Columns = {
  prefix: "",
  country_code: "",
  price: "",
  currency: "",
  message_type: "",
  mcc: "",
  mnc: "",
  effective_from: "",
  effective_to: "",
};

/** Of the country, or of the whole prefix: decks that have one of these columns alone mean the prefix. */
const dialCodes = ["dial code", "dialling code", "dialing code", "dial codes", "dialled digits"];

/** Headers without the spelling: "Rate (EUR)" is "rate eur". */
function plain(header: string): string {
  return header
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** Guesses by their names which headers are our columns. A header is taken once. */
export function guessColumns(headers: readonly string[]): Columns {
  const left = headers.map((header) => ({ header, name: plain(header) }));
  const columns: Record<ColumnName, string> = { ...noColumns };
  const take = (column: ColumnName, word: string): void => {
    if (columns[column] !== "") return;
    const fits = word.endsWith("*") ? (name: string) => name.startsWith(`${word.slice(0, -1)} `) : (name: string) => name === word;
    const at = left.findIndex(({ name }) => fits(name));
    const [found] = at < 0 ? [] : left.splice(at, 1);
    if (found !== undefined) columns[column] = found.header;
  };
  // Our own names first, so that a likely word does not take the header of another column.
  for (const { name } of deckColumns) take(name, plain(name));
  for (const { name, words } of deckColumns) for (const word of words) take(name, word);
  for (const word of dialCodes) take(columns.prefix === "" ? "prefix" : "country_code", word);
  return columns;
}

/** The currency that the header of the prices names, as in "Rate (EUR)"; "" when none. */
export function guessCurrency(priceHeader: string, known: readonly string[] = Intl.supportedValuesOf("currency")): string {
  const words = priceHeader.match(/\b[A-Z]{3}\b/g) ?? [];
  return words.find((word) => known.includes(word)) ?? "";
}

/** What keeps the columns from being read, by column; nothing when they can be. */
export function columnComplaints(columns: Columns, currency: string): Partial<Record<ColumnName | "default_currency", string>> {
  const complaints: Partial<Record<ColumnName | "default_currency", string>> = {};
  const first = new Map<string, string>();
  for (const { name, label } of deckColumns) {
    const header = plain(columns[name]);
    if (header === "") continue;
    const other = first.get(header);
    if (other === undefined) first.set(header, label);
    else complaints[name] = `This header is taken as ${other} already.`;
  }
  if (columns.price === "") complaints.price = "Say which header has the price.";
  if (columns.prefix === "" && columns.country_code === "") complaints.prefix = "Say which header has the prefix, or the country code.";
  if (currency !== "" && !/^[A-Z]{3}$/.test(currency)) complaints.default_currency = "Three letters, such as EUR.";
  else if (columns.currency === "" && currency === "") complaints.default_currency = "Needed where the deck has no currency.";
  return complaints;
}
