#include "sec/password.h"

#include <stdbool.h>
#include <string.h>

/* Words that people make passwords of, as guessers know them: with a year, digits and
 * signs around them and 0 for o they are still the same word. Our own list, and short:
 * it stops what is tried within the first hours, at the rate that sec/throttle.h
 * allows. */
static const char words[] =
    " password passwort passwords passphrase passcode motdepasse contrasena senha "
    "parola "
    "secret secrets geheim changeme change default letmein openup opensesame welcome "
    "willkommen bienvenue hello helloworld hallo bonjour login logon signin access "
    "admin administrator adminadmin root toor superuser sysadmin system operator "
    "manager "
    "user username guest test tester testing demo sample example temp temporary public "
    "private master mypassword pass newpass nopass nopassword letmeinnow iloveyou "
    "ilovegod iloveme loveyou iloveu loveme love lovely lover loves forever always "
    "together friend friends family mother father mommy daddy sister brother baby "
    "babygirl babyboy angel angels princess prince queen king kings sunshine moonlight "
    "starlight rainbow butterfly flower flowers summer winter spring autumn sommer "
    "monday tuesday wednesday thursday friday saturday sunday january february march "
    "april june july august september october november december football soccer "
    "fussball "
    "futbol baseball basketball hockey softball tennis golfer golfing liverpool "
    "arsenal "
    "chelsea manchester barcelona realmadrid juventus bayern yankees lakers cowboys "
    "steelers eagles rangers patriots redsox packers broncos raiders dolphins monkey "
    "dragon tiger tigers lion lions panther eagle falcon phoenix dolphin wolf wolves "
    "kitten kitty puppy doggy doggie bunny rabbit horse horses spider snake turtle "
    "hunter hunting fishing fisher ranger killer warrior soldier sniper ninja samurai "
    "pirate knight wizard magic merlin gandalf superman batman spiderman ironman "
    "wolverine starwars startrek skywalker yoda vader jedi matrix pokemon pikachu "
    "mario "
    "zelda sonic naruto minecraft fortnite nintendo playstation xbox gamer gaming "
    "player "
    "computer internet network server router gateway modem windows microsoft apple "
    "macintosh google facebook twitter instagram youtube samsung iphone android nokia "
    "linux ubuntu debian raspberry raspberrypi orangepi arduino pulseboard dashboard "
    "device board embedded firmware service support helpdesk security secure secured "
    "trustno trustme whatever nothing everything something anything nobody somebody "
    "abcdef qwerty qwertz azerty qwertyuiop asdfgh asdfghjkl zxcvbnm asdf zxcv qazwsx "
    "qweasd qweasdzxc shadow ghost black white silver golden gold orange purple yellow "
    "green blue red cookie cookies chocolate cheese pepper ginger banana strawberry "
    "cherry peaches apples coffee whiskey tequila heineken budweiser guinness mustang "
    "ferrari porsche corvette camaro mercedes harley yamaha honda toyota suzuki "
    "kawasaki "
    "freedom liberty america american canada england london paris berlin munich "
    "germany "
    "deutschland france italia espana australia brazil mexico india china japan tokyo "
    "newyork boston chicago dallas houston florida texas california michael jordan "
    "jennifer jessica michelle nicole daniel andrew joshua matthew anthony robert "
    "thomas "
    "william charles george richard steven david james john joseph christopher brandon "
    "justin tyler austin ashley amanda samantha elizabeth barbara patricia maria anna "
    "laura sarah hannah charlie maggie buster bailey cooper tigger snoopy scooby harry "
    "hermione potter jesus jesuschrist christ church heaven blessed god godisgood "
    "satan "
    "devil hell metallica nirvana slipknot eminem beatles hiphop music guitar rockstar "
    "rocknroll elvis money dollar dollars millionaire lucky winner success number one "
    "crazy sexy hottie fuckyou fuckoff asshole bitch pussy bigdick boobs naked "
    "pornstar "
    "biteme badboy badgirl coolio swordfish thunder lightning blizzard hurricane "
    "tornado "
    "storm stormy midnight diamond crystal jasmine scorpion genesis mercury jupiter "
    "saturn pluto galaxy universe creative explorer student teacher school college "
    "university engineer doctor nurse police fireman agent bond jamesbond ";

/* Neighbours in the alphabet, among the digits, on a keyboard. */
static const char *const rows[] = {
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
    "qazwsxedcrfvtgbyhnujmik",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "!@#$%^&*()",
};

#define ROW_RUN 3u /* characters in a row that are no longer chance */
#define STRAY 3u   /* characters besides such runs that make no password of them */

static size_t characters(const char *s) {
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

/* How many characters of s go on like a row from somewhere in it, in steps of `by`. */
static size_t run_in(const char *row, const char *s, int by) {
    size_t best = 0, len = strlen(row);
    for (size_t at = 0; at < len; at++) {
        size_t n = 0;
        for (long k = (long)at; s[n] && k >= 0 && k < (long)len && row[k] == s[n];
             k += by)
            n++;
        best = n > best ? n : best;
    }
    return best;
}

static size_t run_at(const char *s) {
    size_t best = strspn(s, (char[]){s[0], '\0'}); /* the same again and again */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t up = run_in(rows[i], s, 1), down = run_in(rows[i], s, -1);
        best = up > best ? up : best;
        best = down > best ? down : best;
    }
    return best;
}

/* Little else than pieces of rows: 12345678, qwerty123, aaaabbbb. */
static bool is_rows(const char *s) {
    size_t stray = 0;
    while (*s && stray <= STRAY) {
        size_t n = run_at(s);
        if (n < ROW_RUN) {
            n = 1;
            stray++;
        }
        s += n;
    }
    return stray <= STRAY;
}

/* The length of what it repeats, or its own. */
static size_t period(const char *s, size_t n) {
    for (size_t p = 1; p <= n / 2; p++) {
        if (n % p == 0 && memcmp(s, s + p, n - p) == 0)
            return p;
    }
    return n;
}

static char plain(char c) {
    static const char signs[] = "@4830156$79|", as[] = "aabeoisgstgi";
    const char *at = c ? strchr(signs, c) : NULL;
    return at ? as[at - signs] : c;
}

/* The word at the core: what stands around it goes, signs inside it become letters. */
static bool is_word(const char *s, size_t n) {
    char word[PASSWORD_MAX + 3] = " ";
    size_t k = 1;
    while (n > 0 && !is_letter(s[n - 1]))
        n--;
    for (; n > 0 && !is_letter(s[0]) && s[0] != '@'; n--)
        s++;
    for (size_t i = 0; i < n; i++) {
        char c = plain(s[i]);
        if (is_letter(c))
            word[k++] = c;
        else if ((unsigned char)c >= 0x80)
            return false;
    }
    word[k] = ' ';
    return k > 1 && strstr(words, word) != NULL;
}

static bool is_common(const char *s) {
    size_t n = strlen(s), p = period(s, n);
    return p < n / 2 || is_rows(s) || is_word(s, p);
}

enum password_rc password_check(const char *s) {
    char low[PASSWORD_MAX + 1] = "";
    size_t n = strlen(s);
    if (n > PASSWORD_MAX)
        return PASSWORD_LONG;
    if (characters(s) < PASSWORD_MIN)
        return PASSWORD_SHORT;
    for (size_t i = 0; i < n; i++)
        low[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a' : s[i]);
    return is_common(low) ? PASSWORD_COMMON : PASSWORD_OK;
}

const char *password_why(enum password_rc rc) {
    switch (rc) {
    case PASSWORD_OK:
        break;
    case PASSWORD_SHORT:
        return "The password is too short: 8 characters at least.";
    case PASSWORD_LONG:
        return "The password is too long: 128 bytes at most.";
    case PASSWORD_COMMON:
        return "This password is one of the first that are tried. Take another, of a "
               "few "
               "words that do not belong together.";
    }
    return "";
}
