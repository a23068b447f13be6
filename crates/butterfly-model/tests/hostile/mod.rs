//! What an attacker, or a bad day, puts into a parameter: one list for every test that tries it. Another crate's tests take it
//! by `#[path]`.

#![allow(dead_code, reason = "some tests need a part of it")]

/// SQL, by the quotes, comments and functions of the three engines.
const SQL: &[&str] = &[
    "' OR '1'='1",
    "' OR 1=1 --",
    "' OR 1=1 #",
    "\" OR \"\"=\"",
    "1 OR 1=1",
    "1; DELETE FROM todo",
    "'; DROP TABLE todo; --",
    "\\'; DROP TABLE todo; #",
    "`; DROP TABLE todo; --",
    "') UNION SELECT 1,2,3,4 --",
    "' UNION SELECT name, sql, 1, 1 FROM sqlite_master --",
    "' UNION SELECT user, authentication_string, 1, 1 FROM mysql.user #",
    "' UNION SELECT usename, passwd, 1, 1 FROM pg_shadow --",
    "'||(SELECT load_extension('/tmp/x'))||'",
    "' AND SLEEP(5) #",
    "'; SELECT pg_sleep(5); --",
    "' AND 1=randomblob(100000000) --",
    "'; COPY todo TO PROGRAM 'id'; --",
    "' INTO OUTFILE '/tmp/x' #",
    "'; ATTACH DATABASE '/tmp/x.db' AS x; --",
    "admin'/*",
    "*/ OR 1=1 /*",
    "/*!50000 OR 1=1 */",
    "$1",
    "?",
    ":id",
    "@@version",
    "$$; DROP TABLE todo; $$",
    "E'\\''",
    "0x27",
    "%",
    "_",
    "%' OR title LIKE '%",
    "!%",
    "\\%",
    "[a-z]",
    "id,(SELECT 1)",
    "-id; DROP TABLE todo",
    "title DESC, (CASE WHEN 1=1 THEN id ELSE title END)",
];

/// Redis: the protocol, Lua, key patterns, hash tags; and other stores' operators.
const STORES: &[&str] = &[
    "\r\nFLUSHALL\r\n",
    "a\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n",
    "$-1\r\n",
    "'); redis.call('FLUSHALL'); --",
    "\") redis.call(\"FLUSHALL\") --",
    "]] redis.call('FLUSHALL') --[[",
    "KEYS[1]",
    "{",
    "}",
    "{}",
    "{a}",
    "{a}{b}",
    "}{",
    "a}{b",
    "{tag",
    "*",
    "a*",
    "[^a]*",
    "?",
    "a:b",
    ":",
    "::",
    "-inf",
    "+inf",
    "(1",
    "[a",
    "+",
    "-",
    "$",
    ">",
    "0-0",
    "MAXLEN",
    "{\"$gt\": \"\"}",
    "{\"$where\": \"sleep(5000)\"}",
    "[$ne]=1",
    "__proto__",
    "constructor",
];

/// Paths, templates, formats, markup, shells, headers.
const OTHERS: &[&str] = &[
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd\0.png",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "file:///etc/passwd",
    "CON",
    "%s%s%s%s%n",
    "%d %x %p",
    "{0}",
    "{:?}",
    "${jndi:ldap://127.0.0.1:1/a}",
    "{{7*7}}",
    "<%= 7*7 %>",
    "#{7*7}",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]>",
    "; id",
    "| id",
    "`id`",
    "$(id)",
    "a\r\nset-cookie: x=1",
    "a\nx-injected: 1",
    "=1+1",
    "@SUM(1)",
];

/// Texts that are hardly seen, or seen as something else.
const LETTERS: &[&str] = &[
    "",
    " ",
    "\t",
    "\n",
    "\r",
    " a ",
    "a\0b",
    "\0",
    "\u{1}\u{2}\u{3}\u{1b}[31m",
    "\u{7f}",
    "\u{80}\u{9f}",
    "\u{a0}",
    "\u{200b}",
    "\u{202e}abc",
    "\u{2028}\u{2029}",
    "\u{feff}bom",
    "\u{fffd}",
    "\u{fffe}\u{ffff}",
    "\u{e000}",
    "\u{10ffff}",
    "e\u{301}",
    "\u{e9}",
    "Z\u{321}\u{353}\u{348}\u{34d}\u{317}",
    "\u{130}\u{131}i I",
    "\u{df} SS ss",
    "\u{fb01}",
    "\u{ff07} OR \u{ff11}=\u{ff11}",
    "\u{2bc} OR 1=1",
    "漢字かな",
    "🦋👩‍👩‍👧‍👦🇺🇳",
    "العربية",
    "\\u0000",
    "\\x00\\xff",
    "&#x27;",
    "%27",
    "%00",
    "%c0%ae",
    "NULL",
    "null",
    "nil",
    "undefined",
    "true",
    "None",
    "NaN",
    "Infinity",
];

/// Numbers that fit nowhere, or where they should not.
const NUMBERS: &[&str] = &[
    "-1",
    "-0",
    "0x10",
    "1e400",
    "-1e400",
    "1e-400",
    "2147483648",
    "-2147483649",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "99999999999999999999999999999999999999999999999999",
    "0.1",
    "1_000",
    "1,000",
    "\u{0661}\u{0662}",
    "\u{ff15}",
    "0000-00-00",
    "9999-12-31T23:59:60Z",
    "10000-01-01",
    "-0001-01-01",
    "2026-02-30T25:61:61+99:99",
];

/// Depth of the JSON that is to break a parser.
const DEPTH: usize = 20_000;

/// All texts, long ones and deep ones among them.
pub(crate) fn texts() -> Vec<String> {
    let mut all: Vec<String> = [SQL, STORES, OTHERS, LETTERS, NUMBERS]
        .iter()
        .flat_map(|group| group.iter())
        .map(|text| (*text).to_owned())
        .collect();
    all.push("x".repeat(201));
    all.push("'".repeat(1_000));
    all.push("🦋".repeat(5_000));
    all.push("a\u{301}".repeat(2_000));
    all.push("x".repeat(100_000));
    all.push("[".repeat(DEPTH));
    all.push("{\"a\":".repeat(DEPTH));
    all.push("%".repeat(3_000));
    let mut seen = std::collections::HashSet::new();
    all.retain(|text| seen.insert(text.clone()));
    all
}

/// The texts that are not so long, for tests that take many steps with each.
pub(crate) fn short_texts() -> Vec<String> {
    texts().into_iter().filter(|text| text.len() <= 4_000).collect()
}

/// Bytes that are no text: alone, cut off, too long, surrogates, beyond the last character.
pub(crate) const NO_TEXT: &[&[u8]] = &[
    b"\xff",
    b"\xfe\xff",
    b"\x80",
    b"a\xc3",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xbf' OR 1=1 --",
    b"\xa1' OR '1'='1",
];
