"""Keys and signatures: the vectors of RFC 8032, the file's protection, and everything a key file may wrongly be."""

import copy
import os
import pickle

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import neuraltrade as nt
from neuraltrade.provenance import verify_signature
from neuraltrade.provenance.signer import as_public_key

# RFC 8032, section 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS, ids=["empty", "one byte", "two bytes"])
def test_rfc_8032(secret, public, message, signature):
    signer = nt.Signer(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))
    assert signer.public_key.hex() == public
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    verify_signature(signer.public_key, bytes.fromhex(signature), bytes.fromhex(message))


def test_every_flipped_bit_is_rejected():
    secret, _, message, signature = VECTORS[2]
    public = nt.Signer(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))).public_key
    good = [public, bytes.fromhex(signature), bytes.fromhex(message)]
    for part, data in enumerate(good):
        for bit in range(8 * len(data)):
            damaged = bytearray(data)
            damaged[bit // 8] ^= 1 << bit % 8
            with pytest.raises(nt.VerificationFailed):
                verify_signature(*[bytes(damaged) if i == part else good[i] for i in range(3)])
    for wrong in (good[1][:-1], b"", good[1] + b"\0"):
        with pytest.raises(nt.VerificationFailed):
            verify_signature(public, wrong, good[2])


def test_the_file_is_made_private_and_never_overwritten(tmp_path):
    path = tmp_path / "key.pem"
    old = os.umask(0)
    try:
        signer = nt.Signer.generate(path)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    with pytest.raises(nt.InputError, match="path must name a new file"):
        nt.Signer.generate(path)
    assert path.read_bytes() == before
    again = nt.Signer.load(str(path))
    assert again.public_key == signer.public_key and again.sign(b"x") == signer.sign(b"x")


def test_the_key_is_not_shown_or_pickled(tmp_path):
    path = tmp_path / "key.pem"
    signer = nt.Signer.generate(path)
    secret = serialization.load_pem_private_key(path.read_bytes(), None).private_bytes_raw()
    assert repr(signer) == f"Signer(public_key={signer.public_key.hex()})" == str(signer)
    assert secret.hex() not in repr(signer)
    for copier in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="private key"):
            copier(signer)


def pem(key, encryption=None):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption or serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"", 0o600, "must hold an unencrypted PEM private key"),
        (b"\x00\xff", 0o600, "must hold an unencrypted PEM private key"),
        (pem(Ed25519PrivateKey.generate())[:60], 0o600, "must hold an unencrypted PEM private key"),
        (pem(Ed25519PrivateKey.generate(), serialization.BestAvailableEncryption(b"p")), 0o600, "unencrypted"),
        (pem(ec.generate_private_key(ec.SECP256R1())), 0o600, "must hold an Ed25519 key"),
        (pem(Ed25519PrivateKey.generate()), 0o644, r"must have mode 0600 .* has 0644"),
        (pem(Ed25519PrivateKey.generate()), 0o620, "must have mode 0600"),
    ],
    ids=["empty", "garbage", "cut short", "encrypted", "another curve", "readable", "writable"],
)
def test_load_refuses(tmp_path, content, mode, message):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(nt.InputError, match=message) as caught:
        nt.Signer.load(path)
    assert b"PRIVATE" not in str(caught.value).encode()


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(nt.InputError, match="readable key file"):
        nt.Signer.load(tmp_path / "missing.pem")
    with pytest.raises(nt.InputError, match=r"readable key file|regular file"):
        nt.Signer.load(tmp_path)
    with pytest.raises(nt.InputError, match="writable"):
        nt.Signer.generate(tmp_path / "no" / "folder.pem")
    with pytest.raises(nt.InputError, match="key must be"):
        nt.Signer(b"x" * 32)


def test_public_keys_in_all_forms(tmp_path):
    signer = nt.Signer.generate(tmp_path / "key.pem")
    signer.export_public_key(tmp_path / "public.pem")
    text = (tmp_path / "public.pem").read_text()
    for form in (signer, signer.public_key, signer.public_key.hex(), text, text.encode()):
        assert as_public_key(form) == signer.public_key
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    wrong = other.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for form in (None, b"short", "zz" * 32, 5, wrong, b"-----BEGIN nothing"):
        with pytest.raises(nt.InputError, match="public_key must be"):
            as_public_key(form)
