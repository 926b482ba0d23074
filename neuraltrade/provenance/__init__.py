"""Where decisions come from, in a form nobody can rewrite afterwards: Merkle log, signed checkpoints, proofs."""

from .log import AuditLog, AuditReport, LineageStep
from .merkle import MerkleTree, leaf_hash, node_hash, verify_consistency, verify_inclusion
from .proofs import Checkpoint, ConsistencyProof, InclusionProof, leaf_bytes, verify_extension, verify_proof
from .signer import Signer, verify_signature

__all__ = [
    "AuditLog",
    "AuditReport",
    "Checkpoint",
    "ConsistencyProof",
    "InclusionProof",
    "LineageStep",
    "MerkleTree",
    "Signer",
    "leaf_bytes",
    "leaf_hash",
    "node_hash",
    "verify_consistency",
    "verify_extension",
    "verify_inclusion",
    "verify_proof",
    "verify_signature",
]
