/// A signature by PyPI's model-signing 1.1.1 over a folder `m` with the files of `ModelSignatureTests`.
enum ModelSigningFixture {
    static let publicKey = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEw1VtRAUxQBIxqaSTqGzK190h12Ek
        XXAU2v/AbNCrRqajflOryVb+c7ShADLelIuscPAMwuL5pdDJfCAWmM+gsw==
        -----END PUBLIC KEY-----
        """
    static let signature = #"""
        {"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"8820b87e660fef9d22fabd3c81a6f8b26544e310a40e2b93dda6c7908c42afde"},"tlogEntries":[]},"dsseEnvelope":{"payload":"ewogICJfdHlwZSI6ICJodHRwczovL2luLXRvdG8uaW8vU3RhdGVtZW50L3YxIiwKICAic3ViamVjdCI6IFsKICAgIHsKICAgICAgIm5hbWUiOiAibSIsCiAgICAgICJkaWdlc3QiOiB7CiAgICAgICAgInNoYTI1NiI6ICIyYjMxMTFiZTgxYjdjZjBmZjYzZTA0ZmM3MTViMDM4NTBjNTgzNGFjMThiYzhkZjBlNzE2ZDU2MDgyZDZmNzNjIgogICAgICB9CiAgICB9CiAgXSwKICAicHJlZGljYXRlVHlwZSI6ICJodHRwczovL21vZGVsX3NpZ25pbmcvc2lnbmF0dXJlL3YxLjAiLAogICJwcmVkaWNhdGUiOiB7CiAgICAic2VyaWFsaXphdGlvbiI6IHsKICAgICAgImhhc2hfdHlwZSI6ICJzaGEyNTYiLAogICAgICAiYWxsb3dfc3ltbGlua3MiOiBmYWxzZSwKICAgICAgImlnbm9yZV9wYXRocyI6IFsKICAgICAgICAiLmdpdCIsCiAgICAgICAgIi5naXRodWIiLAogICAgICAgICIuZ2l0aWdub3JlIiwKICAgICAgICAiLmdpdGF0dHJpYnV0ZXMiLAogICAgICAgICJtb2RlbC5zaWciCiAgICAgIF0sCiAgICAgICJtZXRob2QiOiAiZmlsZXMiCiAgICB9LAogICAgInJlc291cmNlcyI6IFsKICAgICAgewogICAgICAgICJkaWdlc3QiOiAiOThlYTZlNGYyMTZmMmZiNGI2OWZmZjliM2E0NDg0MmMzODY4NmNhNjg1ZjNmNTVkYzQ4YzVkM2ZiMTEwN2JlNCIsCiAgICAgICAgIm5hbWUiOiAiYS50eHQiLAogICAgICAgICJhbGdvcml0aG0iOiAic2hhMjU2IgogICAgICB9LAogICAgICB7CiAgICAgICAgImRpZ2VzdCI6ICJlM2IwYzQ0Mjk4ZmMxYzE0OWFmYmY0Yzg5OTZmYjkyNDI3YWU0MWU0NjQ5YjkzNGNhNDk1OTkxYjc4NTJiODU1IiwKICAgICAgICAibmFtZSI6ICJlbXB0eSIsCiAgICAgICAgImFsZ29yaXRobSI6ICJzaGEyNTYiCiAgICAgIH0sCiAgICAgIHsKICAgICAgICAiZGlnZXN0IjogImViZTk1ZDEwY2MxMWUyN2JkOGQ0ZDFjZTkxYmM3MjU2NjVkZGJhYTZjYTI0OThlZjM4YTg4YTU4YWQ0OGNkYjQiLAogICAgICAgICJuYW1lIjogInN1Yi9iLmJpbiIsCiAgICAgICAgImFsZ29yaXRobSI6ICJzaGEyNTYiCiAgICAgIH0KICAgIF0KICB9Cn0=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"MEQCIDLsFVZZsm7eBIW3c3JOolMg9srWfQRBOsOseq0fiA2DAiBjGmijL/XAxzSvIwayDNd3DoiOYub+qee029wmOUjVGg==","keyid":""}]}}
        """#
}
