import base64

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from trading.simulation.exchange import VenueError
from trading.simulation.exchange.signing import (
    check_signature,
    check_socket_signature,
    check_time,
    is_ed25519,
    rest_payload,
    socket_payload,
)

NOW = 1_700_000_000_000
SECRET = "loopback-secret"
VECTORS = [
    ("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=25000.01&recvWindow=5000"
     "&timestamp=1700000000000", "590714504b6100c7839329d2a52cec4c839b0c844cb9a6d0826013eefbf7ad81"),
    ("symbol=%E6%B5%8B%E8%AF%95USDT&side=SELL&type=MARKET&quantity=1&timestamp=1700000000000",
     "7de9d0af3717a22ae086eff5a7a439b993e4bba25e0306e482e2436d50026cbb"),
]


def pem(key: object) -> str:
    spelling = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, spelling).decode()  # type: ignore[attr-defined]


def code_of(call: object, *arguments: object) -> int:
    with pytest.raises(VenueError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.code


@pytest.mark.parametrize(("payload", "signature"), VECTORS)
def test_known_payloads_have_known_signatures_in_any_letter_case(payload: str, signature: str):
    check_signature(SECRET, payload, signature)
    check_signature(SECRET, payload, signature.upper())
    assert code_of(check_signature, SECRET, payload + "1", signature) == -1022
    assert code_of(check_signature, SECRET + "x", payload, signature) == -1022


def test_a_payload_that_is_not_percent_encoded_is_refused():
    import hashlib
    import hmac

    payload = "symbol=测试USDT&timestamp=1700000000000"
    proper = hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
    assert code_of(check_signature, SECRET, payload, proper) == -1022


def test_the_websocket_api_signs_sorted_raw_parameters():
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001", "apiKey": "loopback-key",
              "timestamp": NOW, "signature": "a419155938bf5edba57d6d77ff37c234c14ccc0dc694139193c9fb293181cb4b"}
    assert socket_payload(params).startswith("apiKey=loopback-key&quantity=0.001&side=BUY")
    check_socket_signature(SECRET, params)
    assert code_of(check_socket_signature, SECRET, params | {"quantity": "0.002"}) == -1022


def test_query_and_body_are_joined_without_a_separator_and_without_the_signature():
    assert rest_payload("symbol=A&signature=ab", "side=BUY&timestamp=1") == "symbol=Aside=BUY&timestamp=1"
    assert rest_payload("", "a=1&signature=zz&b=2") == "a=1&b=2"


def test_ed25519_and_rsa_keys_sign_in_base64_and_letter_case_counts():
    ed, big = Ed25519PrivateKey.generate(), rsa.generate_private_key(65_537, 2048)
    payload = VECTORS[0][0]
    for public, raw in ((pem(ed), ed.sign(payload.encode())),
                        (pem(big), big.sign(payload.encode(), padding.PKCS1v15(), hashes.SHA256()))):
        signature = base64.b64encode(raw).decode()
        check_signature(public, payload, signature)
        assert code_of(check_signature, public, payload, signature.swapcase()) == -1022
        assert code_of(check_signature, public, payload, "no base64 at all") == -1022
    assert is_ed25519(pem(ed))
    assert not is_ed25519(pem(big))
    assert not is_ed25519("an HMAC secret")


@pytest.mark.parametrize(
    ("age", "window", "code"),
    [(0, None, 0), (-999, None, 0), (-1_000, None, -1021), (5_000, None, 0), (5_001, None, -1021),
     (60_000, "60000", 0), (1_500, "1500.999", 0), (1, "0.5", -1021), (-1_000, "60000", -1021),
     (0, "60001", -1131), (0, "-1", -1100), (0, "1.2345", -1100)],
)
def test_a_timestamp_counts_inside_its_window_and_less_than_a_second_ahead(age: int, window: str | None, code: int):
    params = {"timestamp": str(NOW - age)} | ({"recvWindow": window} if window else {})
    if code:
        assert code_of(check_time, params, NOW) == code
    else:
        check_time(params, NOW)


def test_microseconds_are_understood_and_nonsense_is_not():
    check_time({"timestamp": str(NOW * 1000)}, NOW)
    assert code_of(check_time, {}, NOW) == -1102
    assert code_of(check_time, {"timestamp": "soon"}, NOW) == -1100
    assert code_of(check_time, {"timestamp": "1400000000000"}, NOW) == -1021
