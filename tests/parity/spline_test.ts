import { parityTests } from "./suite.ts";

parityTests("spline");
