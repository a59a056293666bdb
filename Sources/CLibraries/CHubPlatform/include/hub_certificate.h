/// Makes the hub's own certificate authority and server certificates with OpenSSL's libcrypto.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Makes a P-256 key and a self-signed certificate of an authority that may sign servers only.
/// Both come as PEM texts, to be freed with `hub_free_text`. 0, or -1.
int hub_make_authority(const char *common_name, long days, char **key_pem, char **certificate_pem);

/// Makes a P-256 key and a certificate for a server, signed by an authority. `names` is OpenSSL's text for subjectAltName:
/// `DNS:localhost,IP:127.0.0.1`. Both come as PEM texts, to be freed with `hub_free_text`. 0, or -1.
int hub_make_server_certificate(
    const char *authority_key_pem, const char *authority_certificate_pem, const char *common_name, const char *names, long days,
    char **key_pem, char **certificate_pem);

/// Looks at a certificate: the seconds until it ends (negative: it ended), and its subjectAltName in the form that
/// `hub_make_server_certificate` takes, to be freed with `hub_free_text`. `issuer_pem` may be NULL; if not, the certificate
/// must be signed by it. 0, or -1.
int hub_inspect_certificate(const char *certificate_pem, const char *issuer_pem, int64_t *seconds_left, char **names);

void hub_free_text(char *text);
