#include "hub_certificate.h"
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

static char *text_of(BIO *bio) {
    char *data = NULL;
    long length = BIO_get_mem_data(bio, &data);
    char *text = length >= 0 ? malloc((size_t)length + 1) : NULL;
    if (text == NULL) return NULL;
    memcpy(text, data, (size_t)length);
    text[length] = 0;
    return text;
}

static char *key_text(EVP_PKEY *key) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) text = text_of(bio);
    BIO_free(bio);
    return text;
}

static char *certificate_text(X509 *certificate) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio != NULL && PEM_write_bio_X509(bio, certificate) == 1) text = text_of(bio);
    BIO_free(bio);
    return text;
}

static X509 *read_certificate(const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *read_key(const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return key;
}

// 127 random bits, positive, as RFC 5280 wants serial numbers.
static int set_random_serial(X509 *certificate) {
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1) return 0;
    bytes[0] &= 0x7f;
    bytes[0] |= 0x40;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    int done = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return done;
}

static int add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    int done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

static int set_name(X509_NAME *name, const char *common_name) {
    // A common name is at most 64 characters long (RFC 5280, ub-common-name); the names that count are in subjectAltName.
    char shortened[65];
    snprintf(shortened, sizeof shortened, "%s", common_name);
    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"CSGHub", -1, -1, 0) == 1
        && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)shortened, -1, -1, 0) == 1;
}

// Version, serial, dates, subject and key. Valid from a day ago, as clocks differ.
static int begin(X509 *certificate, EVP_PKEY *key, const char *common_name, long days) {
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_random_serial(certificate)
        && X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) != NULL
        && X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0, NULL) != NULL
        && set_name(X509_get_subject_name(certificate), common_name) && X509_set_pubkey(certificate, key) == 1;
}

static int hand_out(EVP_PKEY *key, X509 *certificate, char **key_pem, char **certificate_pem) {
    *key_pem = key_text(key);
    *certificate_pem = certificate_text(certificate);
    if (*key_pem != NULL && *certificate_pem != NULL) return 0;
    hub_free_text(*key_pem);
    hub_free_text(*certificate_pem);
    *key_pem = *certificate_pem = NULL;
    return -1;
}

int hub_make_authority(const char *common_name, long days, char **key_pem, char **certificate_pem) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    int result = -1;
    if (key != NULL && certificate != NULL && begin(certificate, key, common_name, days)
        && X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1
        && add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
        && add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign")
        && add_extension(certificate, certificate, NID_subject_key_identifier, "hash")
        && X509_sign(certificate, key, EVP_sha256()) > 0)
        result = hand_out(key, certificate, key_pem, certificate_pem);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return result;
}

int hub_make_server_certificate(
    const char *authority_key_pem, const char *authority_certificate_pem, const char *common_name, const char *names, long days,
    char **key_pem, char **certificate_pem) {
    EVP_PKEY *authority_key = read_key(authority_key_pem);
    X509 *authority = read_certificate(authority_certificate_pem);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    int result = -1;
    if (authority_key != NULL && authority != NULL && key != NULL && certificate != NULL
        && X509_check_private_key(authority, authority_key) == 1 && begin(certificate, key, common_name, days)
        && X509_set_issuer_name(certificate, X509_get_subject_name(authority)) == 1
        && add_extension(certificate, authority, NID_basic_constraints, "critical,CA:FALSE")
        && add_extension(certificate, authority, NID_key_usage, "critical,digitalSignature")
        && add_extension(certificate, authority, NID_ext_key_usage, "serverAuth")
        && add_extension(certificate, authority, NID_subject_alt_name, names)
        && add_extension(certificate, authority, NID_subject_key_identifier, "hash")
        && add_extension(certificate, authority, NID_authority_key_identifier, "keyid:always")
        && X509_sign(certificate, authority_key, EVP_sha256()) > 0)
        result = hand_out(key, certificate, key_pem, certificate_pem);
    X509_free(certificate);
    EVP_PKEY_free(key);
    X509_free(authority);
    EVP_PKEY_free(authority_key);
    return result;
}

static void write_name(BIO *bio, const GENERAL_NAME *name, int is_first) {
    char text[INET6_ADDRSTRLEN];
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    const unsigned char *data = ASN1_STRING_get0_data(value);
    int length = ASN1_STRING_length(value);
    if (!is_first) BIO_puts(bio, ",");
    if (type == GEN_DNS) {
        BIO_puts(bio, "DNS:");
        BIO_write(bio, data, length);
    } else if (type == GEN_IPADD && (length == 4 || length == 16)
               && inet_ntop(length == 4 ? AF_INET : AF_INET6, data, text, sizeof text) != NULL) {
        BIO_printf(bio, "IP:%s", text);
    } else {
        BIO_puts(bio, "other");
    }
}

static char *names_text(X509 *certificate) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio != NULL) {
        for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) write_name(bio, sk_GENERAL_NAME_value(names, i), i == 0);
        text = text_of(bio);
    }
    BIO_free(bio);
    GENERAL_NAMES_free(names);
    return text;
}

int hub_inspect_certificate(const char *certificate_pem, const char *issuer_pem, int64_t *seconds_left, char **names) {
    X509 *certificate = read_certificate(certificate_pem);
    X509 *issuer = issuer_pem != NULL ? read_certificate(issuer_pem) : NULL;
    int days = 0, seconds = 0, result = -1;
    if (certificate != NULL && (issuer_pem == NULL || issuer != NULL)
        && (issuer == NULL || X509_verify(certificate, X509_get0_pubkey(issuer)) == 1)
        && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) == 1) {
        *seconds_left = (int64_t)days * 86400 + seconds;
        *names = names_text(certificate);
        result = *names != NULL ? 0 : -1;
    }
    X509_free(issuer);
    X509_free(certificate);
    return result;
}

void hub_free_text(char *text) { free(text); }
