/* SPDX-License-Identifier: MIT */
/* Whoever is first keeps a name, however many there are. */
#include "store/claims.h"

#include "base/hash.h"

static void
assert_owner(const BtOwner *owner, uint32_t root, uint32_t source)
{
    g_assert_cmpuint(owner->root, ==, root);
    g_assert_cmpuint(owner->source, ==, source);
}

static void
test_first_keeps(void)
{
    g_autoptr(BtClaims) claims = bt_claims_new();

    g_assert_false(bt_claims_has(claims, 7));
    assert_owner(bt_claims_add(claims, 7, (BtOwner){1, 2}), 1, 2);
    assert_owner(bt_claims_add(claims, 7, (BtOwner){3, 4}), 1, 2);
    g_assert_true(bt_claims_has(claims, 7));
    g_assert_false(bt_claims_has(claims, 8));
}

/* 0 is a hash as any other, and hashes that begin the search at one place do not mix. */
static void
test_odd_hashes(void)
{
    static const uint64_t hashes[] = {0, 1 << 10, 1 << 20, 1ull << 40, UINT64_MAX, UINT64_MAX - 1};
    g_autoptr(BtClaims) claims = bt_claims_new();

    for (uint32_t i = 0; i < G_N_ELEMENTS(hashes); i++) {
        g_assert_false(bt_claims_has(claims, hashes[i]));
        assert_owner(bt_claims_add(claims, hashes[i], (BtOwner){i, i}), i, i);
    }
    for (uint32_t i = 0; i < G_N_ELEMENTS(hashes); i++)
        assert_owner(bt_claims_add(claims, hashes[i], (BtOwner){9, 9}), i, i);
}

static void
test_growth(void)
{
    enum {
        N = 120000
    };
    g_autoptr(BtClaims) claims = bt_claims_new();

    for (uint32_t i = 0; i < N; i++)
        assert_owner(bt_claims_add(claims, bt_hash(&i, sizeof i), (BtOwner){i, ~i}), i, ~i);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t other = i + N;

        g_assert_true(bt_claims_has(claims, bt_hash(&i, sizeof i)));
        g_assert_false(bt_claims_has(claims, bt_hash(&other, sizeof other)));
        assert_owner(bt_claims_add(claims, bt_hash(&i, sizeof i), (BtOwner){0, 0}), i, ~i);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/claims/first-keeps", test_first_keeps);
    g_test_add_func("/claims/odd-hashes", test_odd_hashes);
    g_test_add_func("/claims/growth", test_growth);
    bt_claims_free(NULL);
    return g_test_run();
}
